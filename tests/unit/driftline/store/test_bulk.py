"""The bytes that LOAD DATA reads, and that name a batch's content."""

import pandas as pd
import pytest

from driftline.errors import InvalidInput
from driftline.store.bulk import encode
from driftline.store.ledger import content_hash


def test_missing_empty_and_the_word_null_are_told_apart() -> None:
    frame = pd.DataFrame({"text": ["", None, "NULL", 'a"b,c'], "number": [1.5, None, 0.1, -0.0]})
    assert encode(frame, ["text", "number"]).decode().splitlines() == [
        '"",1.5',
        "NULL,NULL",
        '"NULL",0.1',
        '"a""b,c",-0',
    ]


def test_instants_are_written_in_utc() -> None:
    frame = pd.DataFrame({"at": [pd.Timestamp("2026-03-29 02:30", tz="Asia/Dhaka")]})
    assert encode(frame, ["at"]) == b"2026-03-28 20:30:00.000000\n"


def test_doubles_survive_to_the_bit() -> None:
    values = [1 / 3, 1e-300, 2**53 + 0.0, 5e-324, 1.7976931348623157e308]
    written = encode(pd.DataFrame({"x": values}), ["x"]).decode().split()
    assert [float(text) for text in written] == values


@pytest.mark.parametrize(("value", "fault"), [(float("inf"), "infinite"), ("two\nlines", "line break")])
def test_what_mysql_cannot_hold_is_refused_by_name(value: object, fault: str) -> None:
    with pytest.raises(InvalidInput, match=f"'x'.*{fault}"):
        encode(pd.DataFrame({"x": [value]}), ["x"])


def test_only_named_columns_count_and_their_order_does() -> None:
    frame = pd.DataFrame({"a": [1], "b": [2], "c": [3]})
    assert encode(frame, ["b", "a"]) == b"2,1\n"


def test_the_hash_tells_where_parts_end() -> None:
    assert content_hash(b"ab", b"c") != content_hash(b"a", b"bc")
    assert content_hash(b"ab") == content_hash(b"ab")
