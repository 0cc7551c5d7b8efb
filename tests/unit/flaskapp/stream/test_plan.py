"""A dated stream is known by what it writes; any other is one of its own."""

import json
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from driftline.errors import InvalidInput
from flaskapp.stream.plan import StreamPlan
from flaskapp.stream.request import read_start

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
DATED: dict[str, Any] = {
    "start_date": "2026-01-01",
    "num_batches": 30,
    "drifts": [{"kind": "unit", "size": 60, "start": 15, "column": "DP_MOC_DURATION"}],
}


def plan(body: dict[str, Any], salt: UUID | None = None) -> StreamPlan:
    return StreamPlan.of(*read_start(body, NOW.date()), NOW, salt or uuid4())


def test_a_dated_streams_id_ignores_length_and_interval() -> None:
    dated = plan(DATED)
    assert len(dated.run_id) == 64
    for same in ({}, {"interval": 1}, {"num_batches": 60}, {"step": "1d"}, {"subscribers": 1000}):
        assert plan({**DATED, **same}).run_id == dated.run_id


@pytest.mark.parametrize(
    "changed", [{"start_date": "2026-01-02"}, {"seed": 8}, {"subscribers": 999}, {"drifts": []}, {"label_delay": 4}]
)
def test_other_content_is_another_stream(changed: dict[str, Any]) -> None:
    assert plan({**DATED, **changed}).run_id != plan(DATED).run_id


def test_each_undated_stream_has_a_new_id() -> None:
    assert plan({}).run_id != plan({}).run_id
    salt = uuid4()
    assert plan({}, salt) == plan({}, salt)


def test_a_dated_stream_has_batch_size_subscribers_by_default() -> None:
    assert plan({**DATED, "batch_size": 50}).world.subscribers == 50
    assert plan({**DATED, "batch_size": 50, "subscribers": 70}).world.subscribers == 70
    assert plan({"batch_size": 50}).world.subscribers > 50, "some are silent on a day"


@pytest.mark.parametrize("body", [DATED, {}, {"batch_size": 5, "interval": 0.5}])
def test_a_plan_survives_json(body: dict[str, Any]) -> None:
    stored = plan(body)
    assert StreamPlan.from_json(stored.to_json()) == stored


@pytest.mark.parametrize(
    ("field", "value"),
    [("start_date", "2026-02-30"), ("start_date", 5), ("drifts", [{"kind": "gravity"}]), ("seed", None), ("colour", 1)],
)
def test_a_plan_of_another_version_is_rejected(field: str, value: object) -> None:
    stored = json.loads(plan(DATED).to_json())
    stored["world"][field] = value
    with pytest.raises(InvalidInput, match="another version"):
        StreamPlan.from_json(json.dumps(stored))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"world": {}}'])
def test_an_invalid_plan_is_rejected(text: str) -> None:
    with pytest.raises(InvalidInput, match="another version"):
        StreamPlan.from_json(text)


def test_batch_one_is_the_first_day() -> None:
    assert [plan(DATED).day(number) for number in (1, 31)] == [date(2026, 1, 1), date(2026, 1, 31)]
