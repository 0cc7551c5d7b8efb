"""Whole backtests at the shell whose work is done in forked processes: byte by byte what threads say."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from driftline.backtesting.backtest import backtest
from tests.unit.engine.frame_builders import scored_rows
from tests.unit.engine.performance.multiclass.class_builders import CLASSES, class_rows
from tests.unit.engine.performance.regression.price_builders import price_rows

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks")
FORKED = """
from driftline.backtesting import sources, workers
from driftline.cli import main

workers.WORTH_FORKING = 0
workers.cores = lambda: 3
sources.LARGEST_WHOLE = {largest}
sources.BLOCK_ROWS = 700
main()
"""
DAYS, REFERENCE = 12, "2026-01-09"
EVERYTHING = {
    "multivariate_methods": ["pca_reconstruction", "domain_classifier"],
    "quality": ["missing_values", "unseen_categories", "out_of_range", "duplicates", "row_count", "freshness"],
    "statistics": ["mean", "median"],
    "minimum_rows": 20,
    "minimum_class_rows": 2,
}
ROLES: dict[str, Any] = {"timestamp": "event_time", "id": "id", "label": "label", "prediction": "prediction"}
CASES: dict[str, tuple[pd.DataFrame, dict[str, Any]]] = {
    "binary": (scored_rows(4_000, DAYS), {"score": "probability_1", "spec": EVERYTHING | {"segments": ["plan"]}}),
    "multiclass": (class_rows(4_000, DAYS), {"score": {name: f"probability_{name}" for name in CLASSES}}),
    "regression": (
        price_rows(4_000, DAYS),
        {"problem": "regression", "spec": {"segments": ["fuel"], "minimum_rows": 20}},
    ),
}


def _scores(given: Any) -> Iterator[str]:
    """Yield the scores as options."""
    if isinstance(given, dict):
        yield from (f"--score={name}={column}" for name, column in given.items())
    elif given:
        yield f"--score={given}"


@pytest.mark.parametrize("largest", [2**30, 1], ids=["whole", "in blocks"])
@pytest.mark.parametrize("case", CASES)
def test_processes_find_what_threads_find(case: str, largest: int, tmp_path: Path) -> None:
    rows, others = CASES[case]
    path, out, spec = tmp_path / "rows.parquet", tmp_path / "out.json", tmp_path / "spec.yaml"
    rows.to_parquet(path)
    spec.write_text(str(others.get("spec", {})))  # YAML has this notation too
    expected = backtest(path, **ROLES, **others, chunk="1d", reference_until=REFERENCE)
    options = [f"--{name}={value}" for name, value in ROLES.items()] + list(_scores(others.get("score")))
    options += [f"--problem={others['problem']}"] if "problem" in others else []
    subprocess.run(
        [
            *(sys.executable, "-W", "error", "-c", FORKED.format(largest=largest), "backtest", str(path), *options),
            *("--chunk=1d", f"--reference-until={REFERENCE}", f"--spec={spec}", f"--json={out}"),
        ],
        check=True,
        capture_output=True,
    )
    assert out.read_text() == expected.to_json()
