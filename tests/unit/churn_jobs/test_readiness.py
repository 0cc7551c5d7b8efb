"""What is told about days that cannot be trained on."""

from datetime import date, timedelta

import pytest

from churn_jobs.configuration import TrainingConfig
from churn_jobs.days import DayRange
from churn_jobs.readiness import WindowCounts, require_ready
from churn_jobs.windows import split
from driftline.errors import InvalidInput

CONFIG = TrainingConfig()
WINDOWS = split(DayRange(date(2026, 1, 1), date(2026, 1, 1) + timedelta(days=80)), CONFIG)
GOOD = WindowCounts(rows=1000, labelled=1000, churned=140)


def faults(**other: WindowCounts) -> tuple[str, ...]:
    with pytest.raises(InvalidInput, match="cannot be trained on") as refused:
        require_ready(WINDOWS, {"train": GOOD, "validation": GOOD, "reference": GOOD} | other, CONFIG)
    return refused.value.details


def test_enough_of_everything_passes() -> None:
    require_ready(WINDOWS, {"train": GOOD, "validation": GOOD, "reference": GOOD}, CONFIG)


def test_one_class_only() -> None:
    assert "train has 0 rows that churned, and 20 are needed" in faults(train=WindowCounts(1000, 1000, 0))[0]
    assert "train has 0 rows that stayed" in faults(train=WindowCounts(1000, 1000, 1000))[0]


def test_labels_that_are_not_in() -> None:
    assert "reference has labels for 949 of 1000 rows" in faults(reference=WindowCounts(1000, 949, 140))[0]


def test_all_faults_are_listed() -> None:
    found = faults(train=WindowCounts(1000, 1000, 140, ("M_Data_Sum",)), validation=WindowCounts())
    assert found == ("train has no value at all in M_Data_Sum", "validation has no rows; prepare these days")
