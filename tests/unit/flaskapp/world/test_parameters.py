import json
from datetime import date, datetime
from typing import Any

import pytest

from churn.columns import Cdr
from driftline.errors import InvalidInput
from flaskapp.world import Drift, DriftKind, Parameters

DAY = date(2025, 3, 1)


def test_all_faults_are_listed() -> None:
    wrong: dict[str, Any] = {"seed": -1, "start_date": datetime(2025, 3, 1), "subscribers": True, "label_delay": 0}  # noqa: DTZ001
    with pytest.raises(InvalidInput) as caught:
        Parameters(**wrong)
    assert [detail.split()[0] for detail in caught.value.details] == [
        "seed",
        "subscribers",
        "label_delay",
        "start_date",
    ]


def test_the_canonical_text_contains_every_parameter() -> None:
    base = Parameters(1, DAY, drifts=(Drift(DriftKind.UNIT, 60, DAY, Cdr.MOC_DURATION),))
    variants = [
        Parameters(2, DAY, drifts=base.drifts),
        Parameters(1, date(2025, 3, 2), drifts=base.drifts),
        Parameters(1, DAY, 999, base.drifts),
        Parameters(1, DAY, label_delay=4, drifts=base.drifts),
        Parameters(1, DAY),
        Parameters(1, DAY, drifts=(Drift(DriftKind.UNIT, 60, DAY, Cdr.MOC_DURATION, DAY),)),
    ]
    assert len({base.canonical(), *(variant.canonical() for variant in variants)}) == 7
    assert base.canonical() == Parameters(1, DAY, drifts=base.drifts).canonical()
    assert json.loads(base.canonical())["drifts"] == [
        {"kind": "unit", "size": 60.0, "start": "2025-03-01", "column": "DP_MOC_DURATION", "until": None}
    ]
