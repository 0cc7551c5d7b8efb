"""Every fault of a raw file with its line and column; every good value as what it means."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from churn.columns import CDR_FILE_COLUMNS, Cdr
from flaskapp.raw import file as raw_file
from flaskapp.raw import rules as raw_rules
from flaskapp.raw.rules import Fault

NEWEST = datetime(2026, 2, 1, tzinfo=UTC)
VALID = ["2026-01-31", "99912345", "1", "60", "2", "120", "0", "3", "4", "500", "1"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "RawData.csv"


def write(file: Path, *rows: list[str]) -> None:
    file.write_text("".join(f"{','.join(row)}\n" for row in (list(map(str, CDR_FILE_COLUMNS)), *rows)))


def changed(column: str, value: str) -> list[str]:
    return [value if name == column else default for name, default in zip(CDR_FILE_COLUMNS, VALID, strict=True)]


def faults(file: Path) -> list[Fault]:
    pieces = raw_file.pieces(file, lambda _: None)
    return [fault for piece in pieces for fault in raw_rules.faults_of(piece, NEWEST)]


def frame(file: Path) -> pd.DataFrame:
    return pd.concat([raw_rules.frame_of(piece, "abc:") for piece in raw_file.pieces(file, lambda _: None)])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (Cdr.DATE, ""),
        (Cdr.DATE, "31.01.2026"),
        (Cdr.DATE, "2026-02-30"),
        (Cdr.DATE, "2026-01-31 25:00:00"),
        (Cdr.DATE, "2026-02-02"),
        (Cdr.DATE, "1969-12-31"),
        (Cdr.MSISDN, ""),
        (Cdr.MSISDN, "1" * 21),
        (Cdr.MSISDN, "99 9"),
        (Cdr.MSISDN, "é"),
        (Cdr.MOC_COUNT, "-1"),
        (Cdr.MOC_DURATION, "1.5"),
        (Cdr.DATA_VOLUME, "1e6"),
        (Cdr.DATA_VOLUME, "9" * 19),
        (Cdr.MTC_COUNT, " 1"),
        (Cdr.PSEUDO_CHURNED, "2"),
        (Cdr.PSEUDO_CHURNED, "true"),
    ],
)
def test_a_bad_value_is_named_with_line_and_column(file: Path, column: str, value: str) -> None:
    write(file, VALID, changed(column, value), VALID)
    listed = faults(file)
    assert [(fault.line, fault.column) for fault in listed] == [(3, column)]
    assert str(listed[0]).startswith(f"line 3, {column}: {value!r} ")


def test_all_faults_are_listed_and_blank_lines_count(file: Path) -> None:
    write(file, changed(Cdr.DATE, "x"), [""], ["1", "2"], changed(Cdr.MOC_COUNT, "y"), VALID[:-1])
    assert sorted((fault.line, fault.column or "") for fault in faults(file)) == [
        (2, Cdr.DATE),
        (4, ""),
        (5, Cdr.MOC_COUNT),
        (6, ""),
    ]


def test_bytes_that_are_not_text_are_a_fault(file: Path) -> None:
    file.write_bytes(",".join(CDR_FILE_COLUMNS).encode() + b"\n\xff\xfe" + ",".join(VALID).encode() + b"\n")
    assert [(fault.line, fault.column) for fault in faults(file)] == [(2, Cdr.DATE)]


@pytest.mark.parametrize(
    ("text", "stamp"),
    [
        ("2026-01-31", "2026-01-31"),
        ("2026-01-31 23:59:59", "2026-01-31 23:59:59"),
        ("2026-01-31T01:02:03.000004Z", "2026-01-31 01:02:03.000004"),
    ],
)
def test_a_stamp_is_an_instant_in_utc(file: Path, text: str, stamp: str) -> None:
    write(file, changed(Cdr.DATE, text))
    assert faults(file) == []
    assert frame(file)[Cdr.DATE].tolist() == [pd.Timestamp(stamp, tz="UTC")]


@pytest.mark.parametrize("missing", ["", "NULL", "\\N"])
def test_a_missing_value_stays_missing(file: Path, missing: str) -> None:
    write(file, changed(Cdr.MOC_COUNT, missing), changed(Cdr.PSEUDO_CHURNED, missing))
    assert faults(file) == []
    read = frame(file)
    assert read[Cdr.MOC_COUNT].isna().tolist() == [True, False]
    assert read[Cdr.PSEUDO_CHURNED].isna().tolist() == [False, True]


def test_whole_numbers_are_exact_in_every_notation(file: Path) -> None:
    write(file, changed(Cdr.DATA_VOLUME, "999999999999999999"), changed(Cdr.DATA_VOLUME, "12.0"))
    assert faults(file) == []
    assert frame(file)[Cdr.DATA_VOLUME].tolist() == [999_999_999_999_999_999, 12]


def test_a_records_id_contains_its_line(file: Path) -> None:
    write(file, VALID, [""], VALID)
    assert frame(file)[Cdr.RECORD_ID].tolist() == ["abc:2", "abc:4"]
