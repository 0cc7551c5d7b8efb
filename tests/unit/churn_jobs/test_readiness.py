"""The faults of days that cannot be trained on."""

from datetime import date, timedelta

import pytest

from churn_jobs.configuration import TrainingConfig
from churn_jobs.days import DayRange
from churn_jobs.readiness import WindowCounts, require_ready
from churn_jobs.windows import split
from driftline.errors import InvalidInput

CONFIG = TrainingConfig()
WINDOWS = split(DayRange(date(2026, 1, 1), date(2026, 1, 1) + timedelta(days=80)), CONFIG)
READY = WindowCounts(rows=1000, labelled=1000, churned=140)


def faults(**changed: WindowCounts) -> tuple[str, ...]:
    with pytest.raises(InvalidInput, match="cannot be trained on") as refused:
        require_ready(WINDOWS, {"train": READY, "validation": READY, "reference": READY} | changed, CONFIG)
    return refused.value.details


def test_windows_with_enough_rows_are_ready() -> None:
    require_ready(WINDOWS, {"train": READY, "validation": READY, "reference": READY}, CONFIG)


def test_one_class_only() -> None:
    assert "train has 0 rows that churned, and 20 are needed" in faults(train=WindowCounts(1000, 1000, 0))[0]
    assert "train has 0 rows that stayed" in faults(train=WindowCounts(1000, 1000, 1000))[0]


def test_missing_labels_are_a_fault() -> None:
    assert "reference has labels for 949 of 1000 rows" in faults(reference=WindowCounts(1000, 949, 140))[0]


def test_all_faults_are_listed() -> None:
    listed = faults(train=WindowCounts(1000, 1000, 140, ("M_Data_Sum",)), validation=WindowCounts())
    assert listed == ("train has no values in M_Data_Sum", "validation has no rows; prepare these days")
