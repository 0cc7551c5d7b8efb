"""The CSV files of reports: texts of users are never formulas, and numbers stay numbers."""

import csv

import pytest

from monitoring.report.reports import DRIFT_COLUMNS, PERFORMANCE_COLUMNS, _csv


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
@pytest.mark.parametrize("columns", [DRIFT_COLUMNS, PERFORMANCE_COLUMNS])
def test_a_text_that_begins_like_a_formula_is_quoted(text: str, columns: tuple[str, ...]) -> None:
    row = dict.fromkeys(columns, text) | {"revision": 1}
    written = list(csv.DictReader(_csv([row], columns).decode().splitlines(keepends=True)))
    assert {name: cell for name, cell in written[0].items() if name != "revision"} == {
        name: f"'{text}".replace("\r", "\n") for name in columns if name != "revision"
    }


def test_other_texts_and_numbers_are_written_as_they_are() -> None:
    row = {"column": "minutes = 3", "value": -1.5, "effect": None, "revision": 2, "lasting": True, "reason": ""}
    (written,) = csv.DictReader(_csv([row], DRIFT_COLUMNS).decode().splitlines())
    assert {name: written[name] for name in row} == {
        "column": "minutes = 3", "value": "-1.5", "effect": "", "revision": "2", "lasting": "True", "reason": "",
    }  # fmt: skip
