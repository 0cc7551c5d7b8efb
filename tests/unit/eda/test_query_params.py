"""The range is parsed, or every fault is reported."""

import re
from datetime import date

import pytest

from driftline.errors import InvalidInput
from eda.query_params import parse
from eda.settings import FOLDER
from eda.span import RequestedSpan


@pytest.mark.parametrize(
    ("text", "requested"),
    [
        ('{"start_date": null, "end_date": null}', RequestedSpan(None, None)),
        ("{}", RequestedSpan(None, None)),
        ('{"start_date": "2026-01-31"}', RequestedSpan(date(2026, 1, 31), None)),
        ('{"start_date": "2026-02-01", "end_date": "2026-02-01"}', RequestedSpan(date(2026, 2, 1), date(2026, 2, 1))),
    ],
)
def test_days_are_read_and_null_leaves_an_end_open(text: str, requested: RequestedSpan) -> None:
    assert parse(text) == requested


def test_the_shipped_file_requests_all_days() -> None:
    assert parse((FOLDER / "query_params.json").read_text()) == RequestedSpan(None, None)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ('{"start_date": 20260101}', ["start_date must be a text YYYY-MM-DD or null, not 20260101"]),
        ('{"start_date": true}', ["start_date must be a text YYYY-MM-DD or null, not true"]),
        ('{"end_date": {"a": 1}}', ["end_date must be a text YYYY-MM-DD or null, not an object"]),
        ('{"end_date": ["2026-01-01"]}', ['end_date must be a text YYYY-MM-DD or null, not ["2026-01-01"]']),
        ('{"end_date": "2026-02-30"}', ["end_date '2026-02-30' is not a calendar day; write YYYY-MM-DD"]),
        ('{"end_date": "20260201"}', ["end_date '20260201' is not a calendar day; write YYYY-MM-DD"]),
        ('{"end_date": ""}', ["end_date '' is not a calendar day; write YYYY-MM-DD"]),
        ('{"end_date": "٢٠٢٦-01-01"}', ["end_date '٢٠٢٦-01-01' is not a calendar day; write YYYY-MM-DD"]),
        (
            '{"start_date": "2026-02-02", "end_date": "2026-02-01"}',
            ["start_date 2026-02-02 is after end_date 2026-02-01"],
        ),
        ('{"end_date": null, "end_date": null}', ["end_date is given 2 times"]),
        (
            '{"from": 1, "start_date": 1, "end_date": "soon"}',
            [
                "unknown key 'from'; known: start_date, end_date",
                "start_date must be a text YYYY-MM-DD or null, not 1",
                "end_date 'soon' is not a calendar day; write YYYY-MM-DD",
            ],
        ),
    ],
)
def test_every_fault_is_named(text: str, faults: list[str]) -> None:
    with pytest.raises(InvalidInput) as raised:
        parse(text)
    assert raised.value.details == tuple(faults)


@pytest.mark.parametrize("text", ["", "{", "{'start_date': null}", "[" * 100_000])
def test_text_that_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="not JSON"):
        parse(text)


@pytest.mark.parametrize("text", ["null", "[]", '"2026-01-01"', "3"])
def test_json_that_is_not_an_object_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape('must be an object such as {"start_date"')):
        parse(text)
