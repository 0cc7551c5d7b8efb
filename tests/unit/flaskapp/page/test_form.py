"""A filled form is the request that the API takes, and its faults are the API's."""

from datetime import date

import pytest

from driftline.errors import InvalidInput
from flaskapp.page.form import STREAM_FIELDS, stream_request
from flaskapp.stream.request import StartStream, read_start
from flaskapp.world.drifts import DriftKind

TODAY = date(2026, 6, 1)


def test_an_empty_form_is_an_empty_request() -> None:
    assert stream_request({}) == {}
    assert stream_request({"num_batches": " ", "drift-1-kind": "", "drift-1-size": ""}) == {}


def test_a_filled_form_is_a_request() -> None:
    form = {
        "start_date": "2026-01-01", "num_batches": "30", "interval": "0.5", "subscribers": "1000", "seed": "9",
        "drift-2-kind": "unit", "drift-2-size": "60", "drift-2-start": "15", "drift-2-column": "DP_MOC_DURATION",
    }  # fmt: skip
    request, drifts = read_start(stream_request(form), TODAY)
    assert (request.num_batches, request.interval, request.seed) == (30, 0.5, 9)
    assert [(drift.kind, drift.size, drift.start) for drift in drifts] == [(DriftKind.UNIT, 60.0, date(2026, 1, 15))]


def test_faults_are_those_of_the_api() -> None:
    form = {"num_batches": "many", "drift-1-kind": "covariate", "drift-1-start": "2026-01-02"}
    with pytest.raises(InvalidInput) as refused:
        read_start(stream_request(form), TODAY)
    assert [detail.partition(" ")[0] for detail in refused.value.details] == ["num_batches:", "drifts[0]:"]


def test_every_field_of_the_form_is_one_of_the_request() -> None:
    assert {field.name for field in STREAM_FIELDS} <= set(StartStream.model_fields)
    for field in STREAM_FIELDS:
        default = StartStream.model_fields[field.name].default
        assert default is None or f"{default:g}" == field.default
