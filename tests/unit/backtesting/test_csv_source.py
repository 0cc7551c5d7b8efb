from pathlib import Path

import pandas as pd
import pytest

from driftline.backtesting import csv_source
from driftline.backtesting.csv_source import CsvSource
from driftline.backtesting.sources import ParquetSource, open_source
from driftline.errors import InvalidInput


def read(path: Path, largest: int = 10**9) -> pd.DataFrame:
    source = CsvSource.of(path, largest)
    return pd.concat([block.astype(object) for block in source.blocks(source.columns)], ignore_index=True)


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_text(text, encoding=encoding)
    return path


def test_types_are_found_and_missing_values_are_those_of_pandas(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv", 'when,n,yes,word\n2026-01-01T00:00:00Z,1,true,a\n2026-01-02T00:00:00Z,NA,false,"b, c"\n'
    )
    source = open_source(path)
    (frame,) = source.blocks(("word", "n", "when", "yes"))
    assert list(frame.columns) == ["word", "n", "when", "yes"]
    assert frame["word"].tolist() == ["a", "b, c"]
    assert isinstance(frame["word"].dtype, pd.CategoricalDtype)
    assert frame["n"].isna().tolist() == [False, True]
    assert frame["yes"].dtype == bool
    assert str(frame["when"].dt.tz) == "UTC"


def test_tabs_in_a_tsv(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.tsv", "a\tb\n1\tx\n")).to_numpy().tolist() == [[1, "x"]]


def test_a_line_break_within_quotes_is_part_of_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.csv", 'a,b\n1,"two\nlines"\n2,x\n' + '3,"two\nlines"\n' * 2_000)
    monkeypatch.setattr(csv_source, "BLOCK_BYTES", 1_003)
    monkeypatch.setattr(csv_source, "PIECE_BYTES", 1_003)
    for largest in (0, 10**9):
        assert read(path, largest)["b"].tolist() == ["two\nlines", "x"] + ["two\nlines"] * 2_000


def test_a_type_that_does_not_hold_later_is_widened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_source, "BLOCK_BYTES", 1_000)
    rows = ["1,,x,2026-01-01"] * 500 + ["1.5,z,y,2026-01-01 05:00:00"] * 300 + ["t,3,y,q"] * 10
    path = write(tmp_path / "a.csv", "a,b,c,d\n" + "\n".join(rows) + "\n")
    frame = read(path, largest=0)
    assert len(frame) == 810
    assert frame["a"].map(str).tolist() == ["1"] * 500 + ["1.5"] * 300 + ["t"] * 10
    assert frame["c"].tolist() == ["x"] * 500 + ["y"] * 310


@pytest.mark.parametrize("largest", [0, 10**9])
@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a,b\n1,2\n3\n", "line 3 cannot be read: Expected 2 columns, got 1"),
        ("a,b\n" + "1,2\n" * 400_000 + "1,2,3\n", "line 400002 cannot be read: Expected 2 columns, got 3"),
        ("", "cannot be read: Empty CSV file"),
        ("a,b,a\n1,2,3\n", "line 1: column names must be distinct; twice there: a"),
    ],
    ids=["early", "late", "empty", "twice"],
)
def test_what_cannot_be_read_is_named_with_its_line(text: str, fault: str, largest: int, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=fault):
        read(write(tmp_path / "a.csv", text), largest)


@pytest.mark.parametrize("largest", [0, 10**9])
def test_another_encoding_is_refused_by_column(largest: int, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"UTF-?8"):
        read(write(tmp_path / "a.csv", "a,b\n1,café\n", "latin-1"), largest)


def test_a_file_that_is_not_what_it_is_called(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read as Parquet"):
        ParquetSource.of(write(tmp_path / "a.parquet", "a,b\n"))
    with pytest.raises(InvalidInput, match=r"neither CSV .* nor Parquet"):
        open_source(write(tmp_path / "a.xlsx", "a,b\n"))
    with pytest.raises(InvalidInput, match="cannot be read"):
        CsvSource.of(write(tmp_path / "a.csv.gz", "a,b\n1,2\n"))
