"""A row is one line of JSON with everything that was passed."""

import json
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.client.batches.rows import checked_id, label_line, prediction_line
from driftline.errors import InvalidInput
from driftline.ingest.rows.checked_columns import _ID, LONGEST_ID

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False), TEXT
)


def row(**changes: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {"row_id": "a", "at": NOON, "prediction": 1, "score": 0.5, "features": {"amount": 12.5}}
    line = prediction_line(**(arguments | changes))
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    content: dict[str, Any] = json.loads(line)
    return content


def test_a_prediction_has_the_fields_of_the_api() -> None:
    assert row() == {
        "id": "a",
        "at": "2026-01-31T12:00:00+00:00",
        "prediction": 1,
        "score": 0.5,
        "features": {"amount": 12.5},
    }


@given(features=st.dictionaries(TEXT, VALUES), prediction=st.one_of(st.integers(-5, 5), st.booleans(), TEXT))
def test_any_names_and_values_arrive(features: dict[str, Any], prediction: Any) -> None:
    sent = row(features=features, prediction=prediction)
    assert sent["features"] == features
    assert list(map(type, sent["features"].values())) == list(map(type, features.values()))
    assert sent["prediction"] == prediction


def test_values_of_numpy_missing_values_and_other_mappings_arrive() -> None:
    features = MappingProxyType({"a": np.float64(0.1), "b": float("nan"), "c": np.int32(4), np.str_("d"): None})
    assert row(features=features)["features"] == {"a": 0.1, "b": None, "c": 4, "d": None}


def test_a_multiclass_prediction_has_a_score_for_each_class() -> None:
    sent = row(score={"cat": 0.7, 1: np.float32(0.25)}, prediction="cat")
    assert (sent["scores"], "score" in sent) == ({"cat": 0.7, "1": 0.25}, False)


def test_a_regression_has_no_score() -> None:
    without = row(score=None, prediction=12.25)
    assert (without["score"], without["scores"]) == (None, None)


def test_the_time_is_now_by_default() -> None:
    before = datetime.now(UTC)
    assert before <= datetime.fromisoformat(row(at=None)["at"]) <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"features": [1, 2]}, "features is a value of type list"),
        ({"features": {1: 2}}, "feature name 1 is of type int"),
        ({"features": {"a": 1, "b": [2]}}, "Feature 'b'"),
        ({"features": {"a": 2**70}}, "Feature 'a' is 1180591620717411303424, which needs more than 64 bits"),
        ({"features": {"\ud800": 1}}, "invalid Unicode text"),
        ({"prediction": None}, "prediction is None"),
        ({"score": "high"}, "score is 'high'"),
        ({"score": {"cat": "high"}}, "score of class 'cat' is 'high'"),
        ({"at": datetime(2026, 1, 31)}, "at is datetime.datetime(2026, 1, 31, 0, 0), which is not"),  # noqa: DTZ001
    ],
)
def test_a_wrong_value_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput) as fault:
        row(**changes)
    assert words in fault.value.message


@pytest.mark.parametrize(("value", "text"), [("a-17", "a-17"), (17, "17"), (np.int64(17), "17"), (np.str_("a"), "a")])
def test_an_id_is_text(value: Any, text: str) -> None:
    assert checked_id(value) == text
    assert type(checked_id(value)) is str


@pytest.mark.parametrize("value", ["", "  ", "x" * 129, "a ", "a\n", "a\tb", "\x7f", None, 1.5, True, b"a"])
def test_another_id_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput, match="id "):
        checked_id(value)


@pytest.mark.parametrize("value", ["\ud800", "a\udfffb"])
def test_an_id_has_whole_characters(value: str) -> None:
    with pytest.raises(InvalidInput, match=r"id is .*, which is not valid Unicode text"):
        checked_id(value)


BLANKS = st.text("ab \t\n\x0b\x7f\x85\xa0\u2003é", max_size=4)


@given(st.one_of(TEXT, BLANKS, st.text("aé ", min_size=126, max_size=130)))
def test_an_id_is_refused_where_the_monitor_would_refuse_it(value: str) -> None:
    texts = pa.array([value])
    is_taken = pc.match_substring_regex(texts, _ID)[0].as_py() and pc.utf8_length(texts)[0].as_py() <= LONGEST_ID
    try:
        assert checked_id(value) == value
    except InvalidInput:
        assert not is_taken
    else:
        assert is_taken


def test_a_label_says_when_it_became_known() -> None:
    assert json.loads(label_line("a", np.int64(1), NOON.isoformat())) == {
        "id": "a",
        "label": 1,
        "known_at": "2026-01-31T12:00:00+00:00",
    }


def test_a_label_has_a_value() -> None:
    with pytest.raises(InvalidInput, match="label of 'a' is nan"):
        label_line("a", float("nan"), NOON.isoformat())
