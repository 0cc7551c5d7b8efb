"""Kinds of data that users of monitoring and profiling tools reported as failing: results, or one clear message.

The reports are in the public trackers of NannyML, Evidently, whylogs, ydata-profiling, Great Expectations, deepchecks
and sweetviz; their numbers are beside the tests.
"""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import driftline as dl
from driftline.engine.catalogue import ColumnKind
from driftline.errors import InvalidInput

ROWS, UNTIL = 1_200, "2026-01-21"
CONTINUOUS, CATEGORICAL = ColumnKind.CONTINUOUS, ColumnKind.CATEGORICAL
Frame = pd.DataFrame


@pytest.fixture
def rows() -> Frame:
    """Return predictions of a calibrated model over 30 days."""
    random = np.random.default_rng(0)
    score = random.uniform(size=ROWS)
    return Frame(
        {
            "when": pd.date_range("2026-01-01", periods=ROWS, freq="36min"),
            "x": random.normal(size=ROWS),
            "plan": random.choice(["a", "b", "c"], ROWS),
            "score": score,
            "label": (random.uniform(size=ROWS) < score).astype(int),
        }
    )


def run(source: Frame | Path, **options: Any) -> dl.BacktestResult:
    roles = {"timestamp": "when", "label": "label", "score": "score", "reference_until": UNTIL, "chunk": "1w"}
    return dl.backtest(source, **(roles | options))


def kinds(result: dl.BacktestResult) -> dict[str, ColumnKind]:
    return {column.name: column.kind for column in result.spec.columns}


COLUMNS: dict[str, tuple[Callable[[Frame], Any], ColumnKind]] = {
    "different types in reference and analysis (Evidently 530)": (
        lambda rows: (rows.index.to_series() * 37 % 1_000).astype(str) + np.where(rows.when < UNTIL, "", ".25"),
        CONTINUOUS,
    ),
    "numbers of dtype category (whylogs 1093)": (lambda rows: (rows.x > 0).astype(int).astype("category"), CATEGORICAL),
    "1, 1.0, P and None in one column (ydata-profiling 29)": (
        lambda rows: np.resize(np.array(["P", "1", 1, 1.0, None], dtype=object), ROWS),
        CATEGORICAL,
    ),
    "categories that are floats with NaN (deepchecks 1833)": (
        lambda rows: np.where(rows.x > 1, np.nan, np.arange(ROWS) % 9),
        CATEGORICAL,
    ),
    "decimals with 38 digits (ydata-profiling 1602)": (
        lambda rows: [Decimal(number) * Decimal("1.000001") for number in (np.arange(ROWS) * 37 % 1_000).tolist()],
        CONTINUOUS,
    ),
}


@pytest.mark.parametrize("report", COLUMNS)
def test_a_reported_column_is_compared(report: str, rows: Frame) -> None:
    values, kind = COLUMNS[report]
    result = run(rows.assign(reported=values(rows)))
    assert kinds(result)["reported"] is kind
    drift = [r for chunk in result.chunks for r in chunk.results if r.subject == "reported" and r.kind == "drift"]
    assert drift
    assert all(number.value is not None for number in drift)


@pytest.mark.parametrize("left", ["x", "plan"])
def test_features_of_one_kind_suffice(left: str, rows: Frame) -> None:
    """NannyML 36."""
    assert list(kinds(run(rows.drop(columns=left)))) == [{"x": "plan", "plan": "x"}[left]]


def test_an_index_of_texts_and_numbers_is_no_obstacle(rows: Frame) -> None:
    """ydata-profiling 249."""
    rows.index = pd.Index(["foo" if place % 2 else place for place in range(ROWS)])
    assert list(kinds(run(rows))) == ["x", "plan"]


def test_a_column_without_values_is_noted_and_the_others_are_compared(rows: Frame) -> None:
    """Evidently 1480: the whole report failed."""
    result = run(rows.assign(empty=np.nan, later=np.where(rows.when < UNTIL, np.nan, rows.x)))
    notes = [str(note) for note in result.inferred if note.notable]
    assert notes == [
        "empty: without any value in the reference: 'empty', 'later' (their drift cannot be computed; leave them out, "
        "or give a reference that has values)"
    ]
    assert {r.subject for r in result.chunks[0].results if r.kind == "drift" and r.value is not None} >= {"x", "plan"}


def test_values_that_go_missing_after_the_reference_alert(rows: Frame) -> None:
    """Evidently 187: rows with missing values were dropped before comparing."""
    result = run(rows.assign(x=rows.x.mask(rows.when >= UNTIL)), chunk="1d")
    assert result.chunks[0].verdict.drifted == ("x",)
    assert any("x is missing in 100 % of rows" in reason for reason in result.chunks[0].verdict.reasons)


def test_an_offset_without_a_colon_is_read(rows: Frame, tmp_path: Path) -> None:
    """Great Expectations 9203; and offsets may differ between rows."""
    offsets = np.where(np.arange(ROWS) % 2, "+0100", "+0200")
    rows.assign(when=rows.when.dt.strftime("%Y-%m-%dT%H:%M:%S") + offsets).to_csv(tmp_path / "a.csv", index=False)
    assert run(tmp_path / "a.csv").reference.since.isoformat() == "2025-12-31T22:00:00+00:00"


def test_dates_with_the_day_first_are_not_guessed(rows: Frame, tmp_path: Path) -> None:
    """NannyML 104: months and days were confused in some rows."""
    rows.assign(when=rows.when.dt.strftime("%d/%m/%Y %H:%M")).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(InvalidInput, match=r"'when' has a value that is not an ISO 8601 time .* 1,200 rows; .*row 1"):
        run(tmp_path / "a.csv")


def test_a_file_without_a_header_is_named(rows: Frame, tmp_path: Path) -> None:
    """Great Expectations 6402."""
    rows.to_csv(tmp_path / "a.csv", index=False, header=False)
    with pytest.raises(InvalidInput) as refused:
        run(tmp_path / "a.csv")
    assert "these look like data: begin the file with a line of column names" in str(refused.value)


def test_another_separator_is_named(rows: Frame, tmp_path: Path) -> None:
    """Great Expectations 1553."""
    rows.to_csv(tmp_path / "a.csv", index=False, sep="$")
    with pytest.raises(InvalidInput) as refused:
        run(tmp_path / "a.csv")
    assert "available: when$x$plan$score$label; is that one column? Separate fields by commas" in str(refused.value)


def test_invoice_numbers_with_some_letters_identify_rows(rows: Frame, tmp_path: Path) -> None:
    """Sweetviz 3: numbers, and some that begin with C; private characters in names (ydata-profiling 713) too."""
    numbers = pd.Series(np.arange(536_365, 536_365 + ROWS)).astype(str).where(np.arange(ROWS) % 50 > 0, "C536")
    named = rows.assign(invoice=numbers + rows.index.astype(str)).rename(columns={"x": "\U0010018d"})
    pq.write_table(pa.Table.from_pandas(named), tmp_path / "a.parquet")
    assert list(kinds(run(tmp_path / "a.parquet", id="invoice"))) == ["\U0010018d", "plan"]
