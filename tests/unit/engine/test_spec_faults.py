"""What a spec says about faulty fields: what is wrong and what to write, in its own words."""

import re
from typing import Any

import pytest

import driftline as dl
from driftline.models.registered_models import revised_spec

COLUMNS = {"columns": ["x"]}
IN_WORDS_OF_PYDANTIC = re.compile(r"Input should|Value error|Field required|after validation|Extra inputs|Unable to")


def faults(fields: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(dl.InvalidInput) as caught:
        dl.Monitor(fields)
    return caught.value.details


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({}, "columns: missing; add it"),
        ({"columns": []}, "columns: too few items; write at least 1"),
        ({"columns": "x"}, "columns: 'x' is not a list; write one such as [a, b]"),
        ({"columns": [5]}, "columns.0: 5 is not a mapping; write one such as {field: value}"),
        ({"columns": [{"name": ""}]}, "columns.0.name: the text is empty; write one"),
        ({"columns": [{"kind": "continuous"}]}, "columns.0.name: missing; add it"),
        ({"columns": [{"name": "x", "nam": 1}]}, "columns.0.nam: unknown field; remove it or correct its name"),
        ({"columns": [{"name": "x", "kind": "text"}]}, "columns.0.kind: 'text' is unknown; choose 'continuous' or "),
        (COLUMNS | {"time_zone": "Mars"}, "time_zone: unknown time zone 'Mars'; use an IANA name"),
        (COLUMNS | {"time_zone": 5}, "time_zone: 5 is not text; put it in quotes"),
        (COLUMNS | {"label_delay": "x"}, "label_delay: 'x' is not a duration; write ISO 8601 such as P3D"),
        (COLUMNS | {"label_delay": []}, "label_delay: a value of type list is not a duration; write ISO 8601"),
        (COLUMNS | {"label_delay": -5}, "label_delay: -5 seconds is out of range; write 0 seconds or more"),
        (COLUMNS | {"alert_budget": -1}, "alert_budget: -1 is out of range; write more than 0"),
        (COLUMNS | {"alert_budget": "nan"}, "alert_budget: 'nan' is not finite; write a finite number"),
        (COLUMNS | {"label_coverage": 2}, "label_coverage: 2 is out of range; write 1 or less"),
        (COLUMNS | {"minimum_rows": 2.5}, "minimum_rows: 2.5 is not a whole number; write one such as 5"),
        (COLUMNS | {"label_coverage": None}, "label_coverage: None is not a number; write one such as 0.5"),
        (COLUMNS | {"drift_alerts": "perhaps"}, "drift_alerts: 'perhaps' is neither true nor false"),
        (COLUMNS | {"threshold_overrides": {"psi": {"type": "x"}}}, "overrides.psi: unknown 'type' 'x'; choose one of"),
        (COLUMNS | {"threshold_overrides": {"psi": {}}}, "threshold_overrides.psi: has no 'type'; add it"),
        (
            COLUMNS | {"threshold_overrides": {"psi": {"type": "constant", "lower": 2, "upper": 1}}},
            "threshold_overrides.psi.constant: the lower threshold 2 must be less than the upper one, 1",
        ),
    ],
)  # fmt: skip
def test_a_fault_says_what_to_write(fields: dict[str, Any], fault: str) -> None:
    (text,) = faults(fields)
    assert fault in text
    assert not IN_WORDS_OF_PYDANTIC.search(text)


def test_a_constructed_spec_uses_the_same_words() -> None:
    with pytest.raises(dl.InvalidInput, match="label_delay: 'x' is not a duration"):
        dl.Spec(columns=["x"], label_delay="x")


CONTRADICTION = "spec: business_value needs what each outcome is worth; set business_value with true_positive and so on"
BOTH = ("spec: alert_budget: -1 is out of range; write more than 0", CONTRADICTION)
FAULTY: dict[str, Any] = {"metrics": ["business_value"], "alert_budget": -1}


def test_contradictions_and_invalid_fields_are_in_one_error() -> None:
    """For each way in which a spec can be given."""
    assert faults(COLUMNS | FAULTY) == BOTH
    for read in (
        lambda: dl.Spec(**COLUMNS, **FAULTY),
        lambda: dl.backtest("docs/flights.csv.gz", timestamp="departure", label="late", score="score", spec=FAULTY,
                            reference_until="2013-04-29"),
        lambda: revised_spec(dl.Spec(**COLUMNS), FAULTY),
    ):  # fmt: skip
        with pytest.raises(dl.InvalidInput) as caught:
            read()
        assert caught.value.details == BOTH


@pytest.mark.parametrize(
    ("fields", "contradictions"),
    [
        (FAULTY, 1),
        ({"columns": [], "metrics": ["mae"], "segments": ["plan"]}, 1),
        (COLUMNS | {"metrics": ["business_value"], "business_value": 5}, 0),
        (COLUMNS | {"problem": "multiclass", "classes": 5, "metrics": ["mae"]}, 1),
        (COLUMNS | {"problem": "clustering", "metrics": ["mae"]}, 0),
    ],
)
def test_a_faulty_field_hides_no_contradiction_and_causes_none(fields: dict[str, Any], contradictions: int) -> None:
    assert len([fault for fault in faults(fields) if re.match(r"spec: [^:]+$", fault)]) == contradictions
