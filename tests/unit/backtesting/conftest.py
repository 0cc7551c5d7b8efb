"""What the backtest's tests share: a small world of predictions whose model stops working, and the command."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from driftline.cli import app

DAYS, A_DAY = 20, 200
UNTIL = "2026-01-13"
"""12 days of reference, 8 of analysis; from the 16th on `usage` doubles and labels are random."""


@pytest.fixture(scope="session")
def world() -> pd.DataFrame:
    """The rows of `make_world`, shared by all tests."""
    return make_world()


def make_world() -> pd.DataFrame:
    """Return rows in the order of time: when, ref, usage, age (whole numbers), plan (text), score, churned (0 or 1)."""
    rng = np.random.default_rng(11)
    rows = DAYS * A_DAY
    when = pd.date_range("2026-01-01", periods=rows, freq=f"{86_400 // A_DAY}s")
    broken = np.arange(rows) >= 15 * A_DAY
    usage = rng.normal(10, 2, rows) * np.where(broken, 2.0, 1.0)
    score = rng.uniform(size=rows)
    label = rng.uniform(size=rows) < np.where(broken, 0.5, score)
    return pd.DataFrame(
        {
            "when": when,
            "ref": [f"r{n:05}" for n in range(rows)],
            "usage": usage,
            "age": rng.integers(18, 90, rows),
            "plan": rng.choice(["basic", "plus", "max"], rows),
            "score": score,
            "churned": label.astype(int),
        }
    )


@pytest.fixture
def csv(world: pd.DataFrame, tmp_path: Path) -> Path:
    """The world as a CSV file."""
    path = tmp_path / "churn.csv"
    world.to_csv(path, index=False)
    return path


Invoke = Callable[..., Result]


@pytest.fixture
def invoke() -> Invoke:
    """Runs `driftline backtest` with these arguments, in this process."""
    return lambda *arguments: CliRunner().invoke(app, ["backtest", *map(str, arguments)])
