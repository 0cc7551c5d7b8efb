from datetime import date
from typing import Any

import pytest

from churn.columns import CDR_USAGE, Cdr
from driftline.errors import InvalidInput
from flaskapp.world import Drift, DriftKind, parse_drifts

START = date(2025, 3, 15)


def test_text_is_converted_to_enums() -> None:
    drift = parse_drifts([{"kind": "unit", "size": 60, "start": "2025-03-15", "column": "DP_MOC_DURATION"}])[0]
    assert drift == Drift(DriftKind.UNIT, 60.0, START, Cdr.MOC_DURATION)
    assert drift.kind is DriftKind.UNIT
    assert drift.column is Cdr.MOC_DURATION


def test_both_ends_are_included() -> None:
    drift = Drift(DriftKind.PRIOR, 1.0, date(2025, 3, 15), until=date(2025, 3, 16))
    assert [drift.active(date(2025, 3, day)) for day in (14, 15, 16, 17)] == [False, True, True, False]


def test_without_a_column_a_drift_affects_all_of_its_kind() -> None:
    assert all(Drift(DriftKind.MISSING, 0.5, START).touches(column) for column in CDR_USAGE)
    assert [c for c in CDR_USAGE if Drift(DriftKind.MISSING, 0.5, START, Cdr.DATA_COUNT).touches(c)] == [Cdr.DATA_COUNT]


@pytest.mark.parametrize(
    ("item", "fault"),
    [
        ({"kind": "weather"}, "unknown kind 'weather'; known: covariate, mix, concept, prior, missing, unit"),
        ({"kind": None}, "unknown kind None"),
        ({"kind": ["unit"]}, "unknown kind ['unit']"),
        ({"kind": "missing", "column": "DP_X"}, "unknown column 'DP_X' for missing; known: DP_MOC_COUNT"),
        ({"kind": "missing", "column": ["DP_MOC_COUNT"]}, "unknown column ['DP_MOC_COUNT']"),
        ({"kind": "unit"}, "unit needs a column; known: DP_MOC_DURATION, DP_MTC_DURATION, DP_DATA_VOLUME"),
        ({"kind": "unit", "column": "DP_MOC_COUNT"}, "unknown column 'DP_MOC_COUNT' for unit"),
        ({"kind": "unit", "column": "DP_DATA_VOLUME", "size": 1}, "above 0 and up to 1e+09, not 1; it is 1"),
        ({"kind": "concept", "column": "DP_MOC_COUNT"}, "concept takes no column; leave out 'DP_MOC_COUNT'"),
        ({"kind": "concept", "size": 1.5}, "up to 1; it is 1.5"),
        ({"kind": "covariate", "size": -1}, "above -1 and up to 100, not 0; it is -1"),
        ({"kind": "prior", "size": 0}, "not 0; it is 0"),
        ({"kind": "prior", "size": True}, "must be a number, not True"),
        ({"kind": "prior", "size": float("nan")}, "must be a number, not nan"),
        ({"kind": "prior", "size": "1"}, "must be a number, not '1'"),
        ({"start": "15.3.2025"}, "start must be a day such as 2025-03-15, not '15.3.2025'"),
        ({"until": "never"}, "until must be a day such as 2025-03-31 or left out, not 'never'"),
        ({"until": "2025-03-14"}, "until (2025-03-14) is before start (2025-03-15)"),
        ({"day": 15}, "unknown field 'day'; known: kind, size, start, column, until"),
    ],
)
def test_faults_list_the_valid_values(item: dict[str, Any], fault: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_drifts([{"kind": "mix", "size": 0.5, "start": "2025-03-15", **item}])
    assert any(fault in detail for detail in caught.value.details)


def test_all_faults_are_listed_with_their_position() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_drifts([{"kind": "unit", "size": 0}, 7, {"kind": "prior", "size": 1, "start": "2025-03-15"}])
    assert [detail.split(":")[0] for detail in caught.value.details] == ["drifts[0]"] * 3 + ["drifts[1]"]
