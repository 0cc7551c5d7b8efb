"""Kinds of data that users of monitoring and profiling tools reported as failing: results, or one clear message.

The reports are in the public trackers of NannyML, Evidently, whylogs, ydata-profiling, Great Expectations, deepchecks,
sweetviz and others; their numbers are beside the tests.
"""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import driftline as dl
from driftline.backtesting.input.sources.sources import ParquetSource
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
    "one number far beyond all others (popmon 244)": (
        lambda rows: np.where(rows.index == ROWS // 2, 1e12, rows.x),
        CONTINUOUS,
    ),
    "numbers that differ in the last digit only (skrub 2189)": (
        lambda rows: 10.0 + np.arange(ROWS) % 40 * np.spacing(10.0),
        CONTINUOUS,
    ),
    "objects of class UUID (OpenMetadata 6236)": (
        lambda rows: [UUID(int=place % 5) for place in range(ROWS)],
        CATEGORICAL,
    ),
    "half of a character, as from SAP (ydata-profiling 707)": (
        lambda rows: np.resize(np.array(["plain", "\ud83e", "a\0b"], dtype=object), ROWS),
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


def test_numbers_of_half_precision_do_not_overflow(rows: Frame) -> None:
    """pandas 48757: the mean of 1,000 float16 was infinite; here results equal those of float64."""
    half = (rows.x * 1_000).astype("float16")
    narrow, wide = (run(rows.assign(x=values)).chunks[0].results for values in (half, half.astype("float64")))
    assert [result.value for result in narrow] == [result.value for result in wide]


def test_names_with_points_and_percent_signs_are_names(rows: Frame) -> None:
    """whylogs 1532 and OpenMetadata 8358."""
    named = rows.rename(columns={"x": "model1.input", "plan": "Ozone (%03)"})
    assert set(kinds(run(named))) == {"model1.input", "Ozone (%03)"}


def test_the_line_that_names_the_separator_for_excel_is_skipped(rows: Frame, tmp_path: Path) -> None:
    """pandas 47303."""
    plain, declared = tmp_path / "plain.csv", tmp_path / "declared.csv"
    rows.to_csv(plain, index=False, sep="|")
    declared.write_text("sep=|\n" + plain.read_text(encoding="utf-8"), encoding="utf-8")
    assert run(declared).chunks == run(plain).chunks


@pytest.mark.parametrize("largest", [None, 0], ids=["whole", "in blocks"])
def test_a_folder_with_the_parts_of_a_table_is_read(
    largest: int | None, rows: Frame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Great Expectations 6483, koalas 111: Spark writes a folder, and other files beside the parts."""
    if largest is not None:
        monkeypatch.setattr(ParquetSource.of.__func__, "__defaults__", (largest,))  # type: ignore[attr-defined]
    (tmp_path / "rows.parquet").mkdir()
    for place, part in enumerate((rows[:300], rows[300:])):
        part.to_parquet(tmp_path / "rows.parquet" / f"part-{place:05}.snappy.parquet", index=False)
    (tmp_path / "rows.parquet" / "_SUCCESS").touch()
    rows.to_parquet(tmp_path / "one.parquet", index=False)
    assert run(tmp_path / "rows.parquet").chunks == run(tmp_path / "one.parquet").chunks


def test_parts_with_other_columns_are_named(rows: Frame, tmp_path: Path) -> None:
    rows.to_parquet(tmp_path / "a.parquet")
    rows.drop(columns="x").to_parquet(tmp_path / "b.parquet")
    with pytest.raises(InvalidInput, match=r"b\.parquet has other columns or types than a\.parquet"):
        run(tmp_path)
    with pytest.raises(InvalidInput, match="is a folder without Parquet files"):
        run(tmp_path.parent)


def test_a_repeated_line_of_names_is_named(rows: Frame, tmp_path: Path) -> None:
    """openprescribing 251: each part of an export began with the names, and the parts were joined."""
    text = rows.to_csv(index=False)
    (tmp_path / "joined.csv").write_text(text + text, encoding="utf-8")
    with pytest.raises(InvalidInput, match=f"the line of names is repeated; remove it, in 1 row.*row {ROWS + 1:,}"):
        run(tmp_path / "joined.csv")


@pytest.mark.parametrize(
    ("line", "cure"),
    [("(1200 rows affected)", "remove it if it is a note"), ("a,b,c,d,e,f", "put fields that contain the separator")],
)
def test_a_line_with_another_number_of_fields_is_named_with_a_cure(
    line: str, cure: str, rows: Frame, tmp_path: Path
) -> None:
    """What database clients write below an export; texts that contain the separator."""
    (tmp_path / "a.csv").write_text(rows.to_csv(index=False) + f"{line}\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match=rf"line {ROWS + 2} cannot be read.*{cure}"):
        run(tmp_path / "a.csv")


def test_a_frame_of_another_library_names_its_own_conversion(rows: Frame) -> None:
    """DataProfiler 1076: pandas.DataFrame of an Arrow table has a column for each row."""
    table: Any = pa.Table.from_pandas(rows)
    with pytest.raises(InvalidInput, match=r"not Table; data\.to_pandas\(\) makes one"):
        run(table)
    with pytest.raises(InvalidInput, match=r"not Table; rows\.to_pandas\(\) makes one"):
        dl.Monitor({"columns": ["x"]}).fit(table)
