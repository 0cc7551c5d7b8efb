"""A raw file, plain or gzipped, in pieces: lines keep their numbers whatever stands between them."""

import gzip
from pathlib import Path

import pytest

from churn.columns import CDR_FILE_COLUMNS
from driftline.errors import InvalidInput, NotFound, SchemaMismatch
from flaskapp.raw import file as raw_file

HEADER = ",".join(CDR_FILE_COLUMNS)
ROW = "2026-01-31,999,1,2,3,4,5,6,7,8,0"


def ignore_progress(_: int) -> None:
    """Take no notice."""


def lines_of(path: Path) -> tuple[list[int], list[tuple[int, int]]]:
    pieces = list(raw_file.pieces(path, ignore_progress))
    for piece in pieces:
        assert len(piece.lines) == piece.columns.num_rows
    return [int(n) for piece in pieces for n in piece.lines], [bad for piece in pieces for bad in piece.ragged]


def write(folder: Path, text: str, *, packed: bool) -> Path:
    path = folder / ("RawData.csv.gz" if packed else "RawData.csv")
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    return path


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_ragged_and_blank_lines_keep_their_numbers(tmp_path: Path, packed: bool, end: str) -> None:
    path = write(tmp_path, end.join([HEADER, ROW, "1,2", ROW, "", "x", ROW, ""]), packed=packed)
    assert lines_of(path) == ([2, 4, 7], [(3, 2), (6, 1)])


def test_another_encoding_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "RawData.csv"
    path.write_bytes(f"{HEADER}\n{ROW}\n".encode("utf-16"))
    with pytest.raises(InvalidInput, match="is not UTF-8 text"):
        lines_of(path)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the reader's own, of the line's text
def test_a_ragged_line_in_another_encoding_is_not_empty(tmp_path: Path) -> None:
    path = tmp_path / "RawData.csv"
    path.write_bytes(f"{HEADER}\n{ROW}\n\u00e9t\u00e9,1\n".encode("latin-1"))
    with pytest.raises(InvalidInput, match="cannot be read to its end"):
        lines_of(path)


def test_line_numbers_continue_across_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_file, "BLOCK", 5_000)
    rows = [ROW] * 999
    rows[500], rows[700] = "1,2,3", ""
    path = write(tmp_path, "\n".join([HEADER, *rows]), packed=False)
    assert len(list(raw_file.pieces(path, ignore_progress))) > 3
    lines, ragged = lines_of(path)
    assert lines == [line for line in range(2, 1001) if line not in (502, 702)]
    assert ragged == [(502, 3)]


def test_the_hash_covers_content_and_progress_bytes_on_disk(tmp_path: Path) -> None:
    plain, packed = (write(tmp_path, f"{HEADER}\n{ROW}\n", packed=packed) for packed in (False, True))
    read: list[int] = []
    assert raw_file.content_hash(plain, ignore_progress) == raw_file.content_hash(packed, read.append)
    assert sum(read) == packed.stat().st_size


def test_columns_may_have_any_order(tmp_path: Path) -> None:
    rows = [",".join(reversed(line.split(","))) for line in (HEADER, ROW)]
    piece = next(raw_file.pieces(write(tmp_path, "\n".join(rows), packed=False), ignore_progress))
    assert [value.decode() for value in piece.columns.to_pylist()[0].values()] == ROW.split(",")


def test_a_wrong_header_lists_missing_and_available_columns(tmp_path: Path) -> None:
    path = write(tmp_path, f"{HEADER.replace('DP_DATE', 'DAY')}\n{ROW}\n", packed=False)
    with pytest.raises(SchemaMismatch, match=r"missing: DP_DATE\..*Available: DAY, DP_MSISDN"):
        list(raw_file.pieces(path, ignore_progress))
    path = write(tmp_path, f"{HEADER},more\n{ROW},1\n", packed=False)
    with pytest.raises(SchemaMismatch, match="unknown columns: more"):
        list(raw_file.pieces(path, ignore_progress))


def test_an_empty_file_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no lines"):
        list(raw_file.pieces(write(tmp_path, "", packed=False), ignore_progress))


def test_a_truncated_gzip_file_is_rejected(tmp_path: Path) -> None:
    path = write(tmp_path, "\n".join([HEADER, *[f"{ROW}{n}" for n in range(5_000)]]), packed=True)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InvalidInput, match="cannot be read to its end"):
        raw_file.content_hash(path, ignore_progress)


def test_the_plain_file_is_preferred(tmp_path: Path) -> None:
    assert raw_file.find(tmp_path) is None
    packed = write(tmp_path, HEADER, packed=True)
    assert raw_file.find(tmp_path) == packed
    plain = write(tmp_path, HEADER, packed=False)
    assert raw_file.find(tmp_path) == plain
