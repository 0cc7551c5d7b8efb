"""A request to start a stream: what is taken, and every fault at once."""

from datetime import date, timedelta
from typing import Any

import pytest

from churn.columns import Cdr
from driftline.errors import InvalidInput
from flaskapp.stream.request import LONGEST_STREAM, read_start
from flaskapp.world.drifts import DriftKind

TODAY = date(2026, 6, 15)
UNIT = {"kind": "unit", "size": 60, "start": 15, "column": "DP_MOC_DURATION"}


def details(body: object) -> tuple[str, ...]:
    with pytest.raises(InvalidInput) as caught:
        read_start(body, TODAY)
    return caught.value.details


@pytest.mark.parametrize("body", [{}, None, {"start_date": None, "subscribers": None}])
def test_an_empty_body_has_the_documented_defaults(body: object) -> None:
    request, drifts = read_start(body, TODAY)
    assert (request.batch_size, request.num_batches, request.interval) == (1000, 10, 60)
    assert (request.start_date, request.subscribers, drifts) == (None, None, ())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("batch_size", 0),
        ("batch_size", 100_001),
        ("batch_size", "10"),
        ("batch_size", 1.5),
        ("batch_size", True),
        ("batch_size", None),
        ("num_batches", 0),
        ("num_batches", LONGEST_STREAM + 1),
        ("interval", -1),
        ("interval", float("nan")),
        ("interval", "60"),
        ("start_date", "2026-02-30"),
        ("start_date", 20260101),
        ("start_date", "2030-01-01"),
        ("step", "1h"),
        ("step", "1d"),
        ("subscribers", 0),
        ("seed", -1),
        ("seed", 2**63),
        ("label_delay", 0),
        ("drifts", {}),
        ("speed", 1),
    ],
)
def test_a_fault_names_its_field(field: str, value: object) -> None:
    assert [detail.split(":")[0] for detail in details({field: value})] == [field]


def test_a_whole_number_may_have_a_decimal_point() -> None:
    body = {"batch_size": 10.0, "num_batches": 30.0, "start_date": "2026-01-01", "drifts": [{**UNIT, "start": 15.0}]}
    assert read_start(body, TODAY) == read_start(body | {"batch_size": 10, "num_batches": 30, "drifts": [UNIT]}, TODAY)


@pytest.mark.parametrize("body", [[], "text", 3, True])
def test_a_body_that_is_not_an_object_is_rejected(body: object) -> None:
    assert details(body) == ("the body must be a JSON object",)


def test_all_faults_are_listed_together() -> None:
    drifts: list[Any] = [{**UNIT, "kind": "gravity"}, UNIT, {**UNIT, "start": 0, "more": 1}, 3]
    faults = details({"batch_size": 0, "step": "1d", "speed": 1, "drifts": drifts})
    assert [fault.split(":")[0] for fault in faults] == [
        "batch_size", "step", "speed", "drifts[0]", "drifts[2]", "drifts[2]", "drifts[3]",
    ]  # fmt: skip
    assert all(kind in faults[3] for kind in DriftKind)
    assert "num_batches" in faults[2], "the known fields are named"


@pytest.mark.parametrize(("days", "fits"), [(1, True), (2, False)])
def test_a_stream_must_end_by_tomorrow(days: int, fits: bool) -> None:
    body = {"start_date": str(TODAY + timedelta(days=days - 4)), "num_batches": 5}
    if fits:
        assert read_start(body, TODAY)[0].num_batches == 5
    else:
        assert "start_date: the stream would go from 2026-06-13 to 2026-06-17" in details(body)[0]


@pytest.mark.parametrize(("start", "first"), [("2026-01-01", date(2026, 1, 1)), (None, TODAY)])
def test_a_drift_starts_on_a_day_or_a_day_number(start: str | None, first: date) -> None:
    body = {"start_date": start, "drifts": [{**UNIT, "until": 20}, {**UNIT, "start": "2026-03-01"}]}
    _, drifts = read_start(body, TODAY)
    assert (drifts[0].start, drifts[0].until) == (first + timedelta(days=14), first + timedelta(days=19))
    assert (drifts[1].start, drifts[1].column) == (date(2026, 3, 1), Cdr.MOC_DURATION)


@pytest.mark.parametrize("start", ["9999-12-31", "9999-06-01", "0001-01-01"])
def test_a_stream_to_the_end_of_the_calendar_is_refused(start: str) -> None:
    (fault,) = details({"start_date": start, "num_batches": 8_126, "step": "1d"})
    assert fault.startswith("start_date: the stream would go from ")
