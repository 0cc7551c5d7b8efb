"""Rows as typed columns and compressed blobs: what is encoded is decoded, and equal rows have equal hashes."""

from datetime import UTC, datetime

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.errors import InvalidInput, SchemaMismatch
from driftline.store.rows.encoding import columnar
from driftline.store.rows.encoding.columnar import DamagedBatch

SCHEMA = pa.schema(
    [
        pa.field("id", columnar.TEXT_TYPE, nullable=False),
        pa.field("at", columnar.INSTANT_TYPE, nullable=False),
        pa.field("größe, m²", columnar.NUMBER_TYPE),
        pa.field("plan", columnar.TEXT_TYPE),
        pa.field("count", pa.int64()),
    ]
)
INSTANTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
ROWS = st.lists(
    st.tuples(TEXTS, INSTANTS, st.none() | NUMBERS, st.none() | TEXTS, st.none() | st.integers(-(2**63), 2**63 - 1)),
    max_size=30,
)


def table_of(rows: list[tuple[object, ...]]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(SCHEMA)
    return pa.table([pa.array(list(values), field.type) for values, field in zip(columns, SCHEMA, strict=True)], SCHEMA)


@given(ROWS)
def test_an_encoded_table_is_decoded_as_it_was(rows: list[tuple[object, ...]]) -> None:
    table = table_of(rows)
    assert columnar.decode(columnar.encode(table)).equals(table)


@given(ROWS, st.integers(1, 500))
def test_the_parts_of_a_cut_table_are_the_table(rows: list[tuple[object, ...]], most_bytes: int) -> None:
    table = table_of(rows)
    parts = list(columnar.cut(table, most_bytes))
    assert [first for first, _ in parts] == [sum(p.num_rows for _, p in parts[:n]) for n in range(len(parts))]
    assert columnar.concatenated((columnar.decode(columnar.encode(part)) for _, part in parts), SCHEMA).equals(table)


@given(ROWS, st.integers(0, 30))
def test_the_hash_is_of_the_content_not_of_how_it_is_stored(rows: list[tuple[object, ...]], split: int) -> None:
    table = table_of(rows)
    chunked = pa.concat_tables([table.slice(0, split), table.slice(split)])
    assert columnar.content_hash(chunked) == columnar.content_hash(table)
    assert columnar.content_hash(columnar.decode(columnar.encode(table.slice(split)))) == columnar.content_hash(
        table.slice(split)
    )


@given(ROWS.filter(len), st.data())
def test_any_other_value_has_another_hash_and_is_a_differing_row(
    rows: list[tuple[object, ...]], data: st.DataObject
) -> None:
    row, column = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.sampled_from([2, 3, 4]))
    values = (NUMBERS, TEXTS, st.integers(-(2**63), 2**63 - 1))[column - 2]
    other = data.draw((st.none() | values).filter(lambda value: value != rows[row][column]))
    changed = [*rows]
    changed[row] = (*rows[row][:column], other, *rows[row][column + 1 :])
    first, second = table_of(rows), table_of(changed)
    assert columnar.content_hash(first) != columnar.content_hash(second)
    assert columnar.differing_rows(first, second).tolist() == [n == row for n in range(len(rows))]


def test_equal_tables_have_no_differing_rows() -> None:
    table = table_of([("a", datetime(2026, 1, 1, tzinfo=UTC), None, "x", 1)] * 3)
    assert not columnar.differing_rows(table, table).any()


def test_missing_values_of_a_frame_are_null() -> None:
    frame = pd.DataFrame(
        {
            "id": ["a", "b"],
            "at": pd.Timestamp("2026-01-01T01:00+01:00"),
            "größe, m²": [float("nan"), 1.5],
            "plan": [None, ""],
            "count": pd.array([pd.NA, 3], "Int64"),
        }
    )
    table = columnar.to_table(frame, SCHEMA)
    assert table.to_pylist() == [
        {"id": "a", "at": datetime(2026, 1, 1, tzinfo=UTC), "größe, m²": None, "plan": None, "count": None},
        {"id": "b", "at": datetime(2026, 1, 1, tzinfo=UTC), "größe, m²": 1.5, "plan": "", "count": 3},
    ]


@pytest.mark.parametrize(
    ("column", "values", "fault"),
    [
        ("id", ["a", None], "1 missing values"),
        ("größe, m²", [1.0, float("inf")], "infinite"),
        ("count", [1.5, 2.0], "not of type int64"),
        ("plan", ["x", 3], "not of type string"),
    ],
)
def test_a_value_that_does_not_fit_names_its_column(column: str, values: list[object], fault: str) -> None:
    frame = table_of([("a", datetime(2026, 1, 1, tzinfo=UTC), 1.0, "x", 1)] * 2).to_pandas()
    frame[column] = values
    with pytest.raises(InvalidInput, match=fault) as refused:
        columnar.to_table(frame, SCHEMA)
    assert repr(column) in str(refused.value)


def test_columns_that_are_missing_are_listed() -> None:
    with pytest.raises(SchemaMismatch, match=r"missing: plan, count\. Available: id"):
        columnar.to_table(table_of([]).drop_columns(["plan", "count"]).to_pandas(), SCHEMA)


@pytest.mark.parametrize("data", [b"", b"no Arrow", columnar.encode(table_of([]))[:40]])
def test_damaged_data_is_an_error_of_ours(data: bytes) -> None:
    with pytest.raises(DamagedBatch, match="cannot be read"):
        columnar.decode(data)
