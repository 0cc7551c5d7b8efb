"""Messages become groups of rows in their order, each with a key that names its messages."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.errors import InvalidInput
from driftline.ingest.ingestion import require_key
from driftline.ingest.messages.message import Message, RowGroup, group_rows, parse_messages, row_of


def message(offset: int, value: object, topic: str = "labels") -> Message:
    return Message(topic, 3, offset, 1_700_000_000_000, None if value is None else json.dumps(value).encode())


def test_the_fields_of_a_row_are_those_beside_its_model() -> None:
    row = row_of(message(5, {"model": "churn", "version": 2, "id": "a", "label": 1}), None)
    assert (row.model, row.version, row.fields) == ("churn", 2, {"id": "a", "label": 1})
    assert row_of(message(5, {"id": "a"}), "default").model == "default"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "no value"),
        ([1], "not a JSON object"),
        ({"id": "a"}, "names no model"),
        ({"model": 7, "id": "a"}, "names no model"),
        ({"model": "churn", "version": "2"}, "whole number"),
        ({"model": "churn", "version": True}, "whole number"),
    ],
)
def test_a_message_without_a_row_is_a_dead_letter(value: object, reason: str) -> None:
    rows, dead = parse_messages([message(1, {"model": "m", "id": "x"}), message(2, value)], None)
    assert [row.message.offset for row in rows] == [1]
    assert [letter.message.offset for letter in dead] == [2]
    assert reason in dead[0].reason


def test_bytes_that_are_no_json_are_named() -> None:
    for data in (b"\xff\xfe", b"{", b"[" * 100_000):
        with pytest.raises(InvalidInput, match="not valid JSON"):
            row_of(Message("t", 0, 0, 0, data), "m")


@pytest.mark.parametrize(
    ("faulty", "parts"),
    [
        ({2}, [[0, 2, 3], [1]]),
        ({1, 4}, [[1, 2], [0], [3]]),
        (set(), [[0, 1], [2, 3]]),
        ({1, 2, 3, 4}, [[0, 1], [2, 3]]),
    ],
)
def test_a_refused_group_is_divided_by_its_faulty_rows(faulty: set[int], parts: list[list[int]]) -> None:
    rows, _ = parse_messages([message(n, {"model": "m", "id": str(n)}) for n in range(4)], None)
    divided = RowGroup(tuple(rows)).parts(faulty)
    assert [[row.message.offset for row in part.rows] for part in divided] == parts


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([None, 1]), st.sampled_from("xyz")), max_size=30))
def test_groups_keep_each_model_in_order_and_ids_apart(targets: list[tuple[str, int | None, str]]) -> None:
    values = [{"model": model, "version": version, "id": name} for model, version, name in targets]
    rows, dead = parse_messages([message(n, value) for n, value in enumerate(values)], None)
    assert not dead
    groups = list(group_rows(rows))
    for group in groups:
        ids = [row.fields["id"] for row in group.rows]
        assert len(set(ids)) == len(ids)
        assert len({(row.model, row.version) for row in group.rows}) == 1
    for target in {(row.model, row.version) for row in rows}:
        stored = [row for group in groups for row in group.rows if (row.model, row.version) == target]
        assert stored == [row for row in rows if (row.model, row.version) == target]


def test_a_key_names_the_messages_and_fits() -> None:
    for topic in ("labels", "t" * 249):
        rows, _ = parse_messages([message(n, {"model": "m", "id": str(n)}, topic) for n in (7, 8, 2**62)], None)
        group = RowGroup(tuple(rows))
        require_key(group.sent.key)
        halves = group.halves()
        assert len({group.sent.key, *(half.sent.key for half in halves)}) == 3
        assert sum((half.rows for half in halves), ()) == group.rows
