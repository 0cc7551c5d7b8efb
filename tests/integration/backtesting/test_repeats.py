"""Repeated rows are counted once, and ids of several different rows are noted."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import driftline as dl
from driftline.backtesting.execution.run import run
from driftline.backtesting.input.sources import csv_source
from driftline.backtesting.input.sources.csv_source import CsvSource
from driftline.backtesting.request.request import Request, ScoreColumn
from driftline.backtesting.request.resolved import read_request
from tests.unit.backtesting.conftest import UNTIL

ROLES: dict[str, Any] = {"timestamp": "when", "label": "churned", "reference_until": UNTIL, "chunk": "1d", "id": "ref"}


def values(result: dl.BacktestResult) -> list[Any]:
    return [(c.rows, c.labelled, c.verdict, [(r.subject, r.method, r.value) for r in c.results]) for c in result.chunks]


@pytest.fixture(scope="module")
def once(world: pd.DataFrame) -> dl.BacktestResult:
    return dl.backtest(world, **ROLES, score="score")


@pytest.fixture(scope="module")
def sent_twice(world: pd.DataFrame) -> pd.DataFrame:
    """200 rows of the analysis and 100 of the reference come again, at the end."""
    day = world[(world.when >= "2026-01-14") & (world.when < "2026-01-15")]
    return pd.concat([world, day, world[:100]], ignore_index=True)


def test_repeated_rows_are_counted_once(sent_twice: pd.DataFrame, once: dl.BacktestResult) -> None:
    result = dl.backtest(sent_twice, **ROLES, score="score")
    assert values(result) == values(once)
    assert result.reference == once.reference
    assert not once.notes
    (note,) = result.notes
    assert "another row: 300; none is counted twice" in note


def test_a_file_read_in_blocks_counts_repeated_rows_once(
    sent_twice: pd.DataFrame, once: dl.BacktestResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_source, "BLOCK_BYTES", 20_000)
    path = tmp_path / "d.csv"
    sent_twice.to_csv(path, index=False)
    source = CsvSource.of(path, largest=0)
    request = Request(**(ROLES | {"scores": (ScoreColumn("score"),)}))
    result = run(source, read_request(request, source.columns))
    assert [(c.rows, c.labelled) for c in result.chunks] == [(c.rows, c.labelled) for c in once.chunks]
    assert result.reference.rows == once.reference.rows
    assert "another row: 300; none is counted twice" in result.notes[0]


def test_different_rows_with_the_same_id_all_count(world: pd.DataFrame, once: dl.BacktestResult) -> None:
    day = world[(world.when >= "2026-01-14") & (world.when < "2026-01-15")]
    changed = pd.concat(
        [world, day[:50].assign(usage=0.0), day[50:60].assign(when=day.when[50:60] + pd.Timedelta("1s"))]
    )
    result = dl.backtest(changed, **ROLES, score="score")
    assert [c.rows for c in result.chunks] == [c.rows + 60 * (c.start.day == 14) for c in once.chunks]
    (note,) = result.notes
    assert "ids of two or more rows with different times or values: 60; every row counts" in note


def test_missing_ids_are_not_equal(world: pd.DataFrame, once: dl.BacktestResult) -> None:
    result = dl.backtest(world.assign(ref=world.ref.where(world.index >= 3_000)), **ROLES, score="score")
    assert not result.notes
    assert [c.rows for c in result.chunks] == [c.rows for c in once.chunks]


def test_rows_with_unhashable_values_are_compared(world: pd.DataFrame) -> None:
    lists = world.assign(tags=pd.Series([[n % 3] for n in range(len(world))], dtype=object))
    result = dl.backtest(pd.concat([lists, lists[-10:]]), **ROLES, score="score", features=None)
    assert "another row: 10; none is counted twice" in result.notes[0]
