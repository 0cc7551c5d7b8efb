"""Backtests of the command in forked processes have the same output as those in threads, byte by byte."""

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from driftline.backtesting.input.sources import csv_source, sources
from driftline.backtesting.input.sources.csv_source import CsvSource
from driftline.backtesting.input.sources.sources import ParquetSource
from tests.unit.backtesting.conftest import Invoke
from tests.unit.engine.frame_builders import scored_rows
from tests.unit.engine.performance.multiclass.class_builders import CLASSES, class_rows
from tests.unit.engine.performance.regression.price_builders import price_rows

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks")
FORKED = """
import os, threading
from driftline.backtesting.execution import workers
from driftline.backtesting.input.sources import csv_source, sources
from driftline.cli import main

def assert_single_thread():
    assert threading.active_count() == 1, threading.enumerate()
    forks.append(1)

forks = []
os.register_at_fork(before=assert_single_thread)
workers.WORTH_FORKING = 0
workers.cores = lambda: 3
sources.ParquetSource.of.__func__.__defaults__ = csv_source.CsvSource.of.__func__.__defaults__ = ({largest},)
sources.BLOCK_ROWS, csv_source.BLOCK_BYTES = 700, 40_000
main()
assert len(forks) >= 6
"""
DAYS, REFERENCE = 12, "2026-01-09"
METHODS = {
    "multivariate_methods": ["pca_reconstruction"],
    "quality": ["missing_values", "unseen_categories", "out_of_range", "duplicates", "row_count", "freshness"],
    "statistics": ["mean", "median"],
    "minimum_rows": 20,
    "minimum_class_rows": 2,
    "segments": ["plan"],
}
WITH_LIGHTGBM = METHODS | {"multivariate_methods": ["pca_reconstruction", "domain_classifier"]}
"""Each forked process imports LightGBM, which takes two seconds of processor time."""
ROLES: dict[str, Any] = {"timestamp": "event_time", "id": "id", "label": "label", "prediction": "prediction"}
CASES: dict[str, tuple[pd.DataFrame, dict[str, Any]]] = {
    "binary": (scored_rows(4_000, DAYS), {"score": "probability_1", "spec": METHODS}),
    "binary with LightGBM": (scored_rows(4_000, DAYS), {"score": "probability_1", "spec": WITH_LIGHTGBM}),
    "multiclass": (class_rows(4_000, DAYS), {"score": {name: f"probability_{name}" for name in CLASSES}}),
    "regression": (
        price_rows(4_000, DAYS),
        {"problem": "regression", "spec": {"segments": ["fuel"], "minimum_rows": 20}},
    ),
}


def _scores(scores: Any) -> Iterator[str]:
    """Yield the scores as options."""
    if isinstance(scores, dict):
        yield from (f"--score={name}={column}" for name, column in scores.items())
    elif scores:
        yield f"--score={scores}"


def _options(path: Path, case: str, chunk: str, out: Path) -> list[str]:
    arguments = CASES[case][1]
    spec = path.with_name("spec.yaml")
    spec.write_text(str(arguments.get("spec", {})))  # YAML has this notation too
    options = [f"--{name}={value}" for name, value in ROLES.items()] + list(_scores(arguments.get("score")))
    options += [f"--problem={arguments['problem']}"] if "problem" in arguments else []
    return [*options, f"--chunk={chunk}", f"--reference-until={REFERENCE}", f"--spec={spec}", f"--json={out}"]


def _forked(path: Path, *options: str, largest: int = 2**30) -> list[str]:
    strict = ("-W", "error", "-W", "ignore:This process:DeprecationWarning")  # Python 3.12's, of numpy's own threads
    return [sys.executable, *strict, "-c", FORKED.format(largest=largest), "backtest", str(path), *options]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "chunk", "kind", "largest"),
    [
        *((case, "1d", "parquet", 2**30) for case in CASES if case != "binary"),
        ("binary", "1d", "parquet", 1),
        ("binary", "rows:300", "parquet", 2**30),
        ("binary", "rows:300", "csv", 1),
        ("binary", "count:7", "csv", 2**30),
    ],
)
def test_processes_have_the_output_of_threads(
    case: str,
    chunk: str,
    kind: str,
    largest: int,
    tmp_path: Path,
    invoke: Invoke,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path, expected, actual = (tmp_path / name for name in (f"rows.{kind}", "expected.json", "actual.json"))
    rows = CASES[case][0]
    rows.to_parquet(path) if kind == "parquet" else rows.to_csv(path, index=False)
    for source in (ParquetSource, CsvSource):
        monkeypatch.setattr(source.__dict__["of"].__func__, "__defaults__", (largest,))
    monkeypatch.setattr(sources, "BLOCK_ROWS", 700)
    monkeypatch.setattr(csv_source, "BLOCK_BYTES", 40_000)
    assert invoke(path, *_options(path, case, chunk, expected)).exit_code == 0  # few rows: threads
    subprocess.run(
        _forked(path, *_options(path, case, chunk, actual), largest=largest), check=True, capture_output=True
    )
    assert actual.read_text() == expected.read_text()


def test_a_progress_bar_starts_no_thread(tmp_path: Path) -> None:
    path, out = tmp_path / "rows.parquet", tmp_path / "out.json"
    CASES["multiclass"][0].to_parquet(path)
    terminal, terminal_end = pty.openpty()
    command = _forked(path, *_options(path, "multiclass", "1d", out))
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=terminal_end)
    os.close(terminal_end)
    drawn = b"".join(iter(partial(_read, terminal), b""))
    assert process.wait() == 0, drawn
    assert b"summarizing" in drawn
    assert out.exists()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # the other end is closed
        return b""
