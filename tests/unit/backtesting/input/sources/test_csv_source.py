import bz2
import gzip
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest

from driftline.backtesting.execution.run import run
from driftline.backtesting.input.sources import csv_source
from driftline.backtesting.input.sources.csv_source import CsvSource
from driftline.backtesting.input.sources.open_source import open_source
from driftline.backtesting.input.sources.sources import ParquetSource, ReadAgainError
from driftline.backtesting.request.request import Request
from driftline.backtesting.request.resolved import read_request
from driftline.errors import InvalidInput


def read(path: Path, largest: int = 10**9, codes: Sequence[str] = ()) -> pd.DataFrame:
    source = CsvSource.of(path, largest)
    while True:
        with suppress(ReadAgainError):
            blocks = [block.astype(object) for block in source.blocks(source.columns, codes)]
            return pd.concat(blocks, ignore_index=True)


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_text(text, encoding=encoding)
    return path


def test_types_are_inferred_and_words_for_missing_values_are_null(tmp_path: Path) -> None:
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


@pytest.mark.parametrize("name", ["a.csv", "a.CSV.GZ", "a.tsv", "A.TSV", "a.b.Tsv.gz", "a.txt.bz2"])
@pytest.mark.parametrize("largest", [0, 10**9])
def test_the_format_is_inferred_from_the_ending_in_any_case(name: str, largest: int, tmp_path: Path) -> None:
    tab = "\t" if "tsv" in name.lower() else ","
    content = f"a{tab}b\n1{tab}x\n".encode()
    compressed = {"gz": gzip.compress(content), "bz2": bz2.compress(content)}
    (tmp_path / name).write_bytes(compressed.get(name.lower().split(".")[-1], content))
    assert isinstance(open_source(tmp_path / name), CsvSource)
    assert read(tmp_path / name, largest).to_numpy().tolist() == [[1, "x"]]


def test_a_line_break_within_quotes_is_part_of_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.csv", 'a,b\n1,"two\nlines"\n2,x\n' + '3,"two\nlines"\n' * 2_000)
    monkeypatch.setattr(csv_source, "BLOCK_BYTES", 1_003)
    monkeypatch.setattr(csv_source, "PIECE_BYTES", 1_003)
    for largest in (0, 10**9):
        assert read(path, largest)["b"].tolist() == ["two\nlines", "x"] + ["two\nlines"] * 2_000


LATE = 2_000
"""How many rows of a file precede the first value that does not fit the inferred type."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("early", "late"),
    [
        ("007", "A1"),
        ("true", "maybe"),
        ("True", "7"),
        ("2.0", "zz"),
        ("7", "1.5"),
        (str(2**60), ""),
        ("", "q"),
        ("", "7"),
        ("", "true"),
        ("", "2026-01-01"),
        ("2026-01-01", "2026-01-01 05:00:00"),
        ("2026-01-01", 'say "x",\nor y'),
        ("2026-01-01T00:00:00", "2026-01-01T00:00:00.123"),
        ("2026-01-01T00:00:00", "2026-01-01T00:00:00Z"),
        ("10:00:00", "x"),
    ],
)
def test_a_file_read_in_blocks_has_the_types_of_the_whole_file(
    early: str, late: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_source, "BLOCK_BYTES", 300_000)
    column = pd.Series([early] * LATE + [late] * 100)
    frame = pd.DataFrame({"a": column, "pad": "p" * 1_000})
    frame.to_csv(tmp_path / "a.csv", index=False)
    at_once, in_blocks = read(tmp_path / "a.csv"), read(tmp_path / "a.csv", largest=0)
    texts = [[None if pd.isna(value) else str(value) for value in frame["a"]] for frame in (at_once, in_blocks)]
    assert texts[0] == texts[1]


@pytest.mark.slow
def test_a_type_widened_late_does_not_change_the_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_source, "BLOCK_BYTES", 300_000)
    rows = LATE + 500
    codes = pd.Series([f"{row % 7:03}" if row < LATE else "A1" for row in range(rows)])
    when = pd.date_range("2026-01-01", periods=rows, freq="15min")
    pd.DataFrame({"when": when, "code": codes, "pad": "p" * 1_000}).to_csv(tmp_path / "a.csv", index=False)
    request = Request("when", features=("code",), reference_until="2026-01-14", chunk="1d")
    resolved = read_request(request, ("when", "code", "pad"))
    at_once, in_blocks = (run(CsvSource.of(tmp_path / "a.csv", largest), resolved) for largest in (10**9, 0))
    assert at_once.to_dict() == in_blocks.to_dict()


@pytest.mark.parametrize("largest", [0, 10**9])
def test_codes_keep_leading_zeros_and_large_ids_stay_distinct(largest: int, tmp_path: Path) -> None:
    ids = [str(2**60), str(2**60 + 1), ""]
    rows = [f"{k},{i},{i},{k}\n" for k, i in zip(("007", "7", "7.0"), ids, strict=True)]
    path = write(tmp_path / "a.csv", "k,id,n,x\n" + "".join(rows))
    frame = read(path, largest, codes=("k", "id"))
    assert frame["k"].tolist() == ["007", "7", "7"]
    for name in ("id", "n"):
        assert frame[name].tolist()[:2] == [2**60, 2**60 + 1]
        assert frame[name].isna().tolist() == [False, False, True]
    assert frame["x"].tolist() == [7.0] * 3


@pytest.mark.parametrize("largest", [0, 10**9])
@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a,b\n1,2\n3\n", "line 3 cannot be read: Expected 2 columns, got 1"),
        ("a,b\n" + "1,2\n" * 400_000 + "1,2,3\n", "line 400002 cannot be read: Expected 2 columns, got 3"),
        ("# export\na,b\n1,2\n", "line 2 cannot be read: Expected 1 columns, got 2.*remove line 1 \\('# export'\\)"),
        ("", "cannot be read: Empty CSV file"),
        ("a,b,a\n1,2,3\n", "line 1: column names must be distinct; repeated: a"),
    ],
    ids=["early", "late", "title", "empty", "twice"],
)
def test_a_malformed_line_is_named_with_its_number(text: str, fault: str, largest: int, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=fault):
        read(write(tmp_path / "a.csv", text), largest)


@pytest.mark.parametrize("largest", [0, 10**9])
@pytest.mark.parametrize("text", ["a,b\n1,café\n", "a,é\n1,2\n"], ids=["value", "header"])
def test_another_encoding_is_rejected(text: str, largest: int, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"UTF-?8"):
        read(write(tmp_path / "a.csv", text, "latin-1"), largest)


ENCODINGS = {
    "utf-16": "UTF-16", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "utf-32": "UTF-32", "utf-32-be": "UTF-32",
    "cp037": "EBCDIC", "cp500": "EBCDIC", "cp273": "EBCDIC",
}  # fmt: skip


@pytest.mark.parametrize("text", ["when,score\n2026-01-31,0.5\n" * 300, "Größe,ä\n1,é\n"], ids=["long", "short"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_encoding_without_ascii_is_named(encoding: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=f"seems to be in {ENCODINGS[encoding]}; save it in UTF-8"):
        read(write(tmp_path / "a.csv", text, encoding))


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "ключ,数\nда,二\n" * 900, "a,b\n1,\0\n" + "x,y\n" * 50])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf_8_is_not_mistaken_for_another_encoding(encoding: str, text: str, tmp_path: Path) -> None:
    assert len(read(write(tmp_path / "a.csv", text, encoding))) == text.count("\n") - 1


def test_a_compressed_file_that_is_too_large_is_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_source, "BLOCK_BYTES", 50_000)
    content = b"a,b\n" + b"1,2\n" * 100_000
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(content))
    source = CsvSource.of(tmp_path / "a.csv.gz", largest=len(content) - 1)
    assert source.single_block
    with pytest.raises(ReadAgainError):
        list(source.blocks(source.columns))
    sizes = [len(block) for block in source.blocks(source.columns)]
    assert not source.single_block
    assert (len(sizes) > 3, sum(sizes)) == (True, 100_000)
    (frame,) = CsvSource.of(tmp_path / "a.csv.gz", largest=len(content)).blocks(("a", "b"))
    assert len(frame) == 100_000


def test_a_file_in_another_format_than_its_ending_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read as Parquet"):
        ParquetSource.of(write(tmp_path / "a.parquet", "a,b\n"))
    with pytest.raises(InvalidInput, match=r"neither CSV .* nor Arrow"):
        open_source(write(tmp_path / "a.xlsx", "a,b\n"))
    with pytest.raises(InvalidInput, match=r"neither CSV .* nor Arrow"):
        open_source(write(tmp_path / "a.csv.zip", "a,b\n"))
    with pytest.raises(InvalidInput, match="cannot be read"):
        CsvSource.of(write(tmp_path / "a.csv.gz", "a,b\n1,2\n"))
