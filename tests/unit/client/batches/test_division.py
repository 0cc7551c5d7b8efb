"""A refused batch is divided until its invalid rows are alone."""

import json
from itertools import chain
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.client.batches.arrow_frame import read_stream, write_stream
from driftline.client.batches.batch_file import MOST_REPLACEMENTS, FileFormat
from driftline.client.batches.division import divide


def lines(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def replacements_of(rows: list[dict[str, Any]], named: tuple[int, ...] = ()) -> list[list[dict[str, Any]]]:
    replacements = divide(FileFormat.NDJSON, lines(rows), named).contents
    return [[json.loads(line) for line in content.splitlines()] for content in replacements]


def ids(replacements: list[list[dict[str, Any]]]) -> list[list[Any]]:
    return [[row["id"] for row in batch] for batch in replacements]


def test_a_batch_is_halved_where_no_row_is_named() -> None:
    assert ids(replacements_of([{"id": number} for number in range(5)])) == [[0, 1], [2, 3, 4]]


def test_named_rows_are_alone() -> None:
    assert ids(replacements_of([{"id": number} for number in range(6)], (6, 2))) == [[0, 2], [3, 4], [1], [5]]


@pytest.mark.parametrize("named", [(0,), (4,), (10**30,)])
def test_a_number_of_no_row_is_ignored(named: tuple[int, ...]) -> None:
    assert ids(replacements_of([{"id": 0}, {"id": 1}, {"id": 2}], named)) == [[0], [1, 2]]


@given(rows=st.integers(0, 60), named=st.lists(st.integers(-1, 70)))
def test_each_row_is_in_one_part(rows: int, named: list[int]) -> None:
    replacements = ids(replacements_of([{"id": number} for number in range(rows)], tuple(named)))
    assert sorted(chain.from_iterable(replacements)) == ([*range(rows)] if rows > 1 else [])
    assert len(replacements) <= MOST_REPLACEMENTS
    assert all(0 < len(content) <= max(1, (rows + 1) // 2) for content in replacements)


@pytest.mark.parametrize(
    ("named", "faulty", "more", "replacements"),
    [
        ((2,), (2, 5), False, [[0, 2, 3, 5]]),
        ((3,), (2, 5), False, [[0], [3, 5], [2]]),
        ((), (2, 5), True, [[0, 2], [3, 5]]),
        ((), (1, 2, 3, 4, 5, 6), True, []),
    ],
)
def test_faulty_rows_are_left_out(
    named: tuple[int, ...], faulty: tuple[int, ...], more: bool, replacements: list[list[int]]
) -> None:
    rows = lines([{"id": number} for number in range(6)])
    division = divide(FileFormat.NDJSON, rows, named, faulty, more=more)
    assert [[json.loads(line)["id"] for line in content.splitlines()] for content in division.contents] == replacements
    assert [json.loads(line)["id"] + 1 for line in division.faulty.splitlines()] == [*faulty]
    table = pa.table({"id": [*range(6)]})
    divided = divide(FileFormat.ARROW, write_stream(table), named, faulty, more=more)
    assert [read_stream(content)["id"].to_pylist() for content in divided.contents] == replacements


def test_lines_that_are_not_json_are_divided_as_they_are() -> None:
    first, second, third = b'{"id":1,"x":2}\n', b'{"id"\n', b"[3]\n"
    assert divide(FileFormat.NDJSON, first + second + third, (2,)).contents == [first, third, second]


def test_a_table_is_divided_likewise() -> None:
    table = pa.table({"id": ["a", "b", "c", "d"], "x": pa.array(["u", "v", None, "u"]).dictionary_encode()})
    replacements = [read_stream(content) for content in divide(FileFormat.ARROW, write_stream(table), [3]).contents]
    assert [content["id"].to_pylist() for content in replacements] == [["a"], ["b", "d"], ["c"]]
    assert {content.schema for content in replacements} == {table.schema}


def test_a_table_that_cannot_be_read_is_an_error_of_a_value() -> None:
    with pytest.raises(ValueError, match="metadata bytes"):
        divide(FileFormat.ARROW, b"no table")
