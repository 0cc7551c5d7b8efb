"""The range is read as written, or every fault is named."""

import re
from datetime import date

import pytest

from driftline.errors import InvalidInput
from eda.query_params import parse
from eda.settings import HERE
from eda.span import AskedRange


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ('{"start_date": null, "end_date": null}', AskedRange(None, None)),
        ("{}", AskedRange(None, None)),
        ('{"start_date": "2026-01-31"}', AskedRange(date(2026, 1, 31), None)),
        ('{"start_date": "2026-02-01", "end_date": "2026-02-01"}', AskedRange(date(2026, 2, 1), date(2026, 2, 1))),
    ],
)
def test_days_are_read_and_null_is_the_datas_own_end(text: str, asked: AskedRange) -> None:
    assert parse(text) == asked


def test_the_file_that_ships_asks_for_all_days() -> None:
    assert parse((HERE / "query_params.json").read_text()) == AskedRange(None, None)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ('{"start_date": 20260101}', ["start_date must be a text YYYY-MM-DD or null, not 20260101"]),
        ('{"start_date": true}', ["start_date must be a text YYYY-MM-DD or null, not true"]),
        ('{"end_date": {"a": 1}}', ["end_date must be a text YYYY-MM-DD or null, not an object"]),
        ('{"end_date": ["2026-01-01"]}', ['end_date must be a text YYYY-MM-DD or null, not ["2026-01-01"]']),
        ('{"end_date": "2026-02-30"}', ["end_date '2026-02-30' is no day of the calendar; write YYYY-MM-DD"]),
        ('{"end_date": "20260201"}', ["end_date '20260201' is no day of the calendar; write YYYY-MM-DD"]),
        ('{"end_date": ""}', ["end_date '' is no day of the calendar; write YYYY-MM-DD"]),
        ('{"end_date": "٢٠٢٦-01-01"}', ["end_date '٢٠٢٦-01-01' is no day of the calendar; write YYYY-MM-DD"]),
        (
            '{"start_date": "2026-02-02", "end_date": "2026-02-01"}',
            ["start_date 2026-02-02 is after end_date 2026-02-01"],
        ),
        ('{"end_date": null, "end_date": null}', ["end_date stands 2 times"]),
        (
            '{"from": 1, "start_date": 1, "end_date": "soon"}',
            [
                "unknown key 'from'; known: start_date, end_date",
                "start_date must be a text YYYY-MM-DD or null, not 1",
                "end_date 'soon' is no day of the calendar; write YYYY-MM-DD",
            ],
        ),
    ],
)
def test_every_fault_is_named(text: str, faults: list[str]) -> None:
    with pytest.raises(InvalidInput) as raised:
        parse(text)
    assert raised.value.details == tuple(faults)


@pytest.mark.parametrize("text", ["", "{", "{'start_date': null}", "[" * 100_000])
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="not JSON"):
        parse(text)


@pytest.mark.parametrize("text", ["null", "[]", '"2026-01-01"', "3"])
def test_what_is_not_an_object_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape('must be an object such as {"start_date"')):
        parse(text)
