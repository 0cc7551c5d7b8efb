"""The split by time: no label from the future, and no day twice."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn_jobs.configuration import TrainingConfig
from churn_jobs.days import DayRange
from churn_jobs.windows import split
from driftline.errors import InvalidInput

FIRST = date(2026, 1, 1)


def days(count: int) -> DayRange:
    return DayRange(FIRST, FIRST + timedelta(days=count - 1))


@given(count=st.integers(44, 800), delay=st.integers(0, 3))
def test_windows_have_their_minima_and_known_labels(count: int, delay: int) -> None:
    config = TrainingConfig(label_delay_days=delay)
    windows = split(days(count), config)
    gap = timedelta(days=delay + 1)
    assert windows.train.first == FIRST
    assert windows.validation.first - windows.train.last == gap
    assert windows.reference.first - windows.validation.last == gap
    assert windows.reference.last + timedelta(days=delay) == days(count).last
    assert len(windows.train) >= config.minimum_train_days
    assert len(windows.validation) >= config.minimum_validation_days
    assert len(windows.reference) >= config.minimum_reference_days


def test_a_quarter_of_a_year_gives_three_weeks_of_reference() -> None:
    windows = split(days(84), TrainingConfig())
    assert [len(window) for window in windows.named().values()] == [41, 13, 21]


@pytest.mark.parametrize("count", [0, 10, 43])
def test_the_error_for_too_few_days_has_the_required_number(count: int) -> None:
    with pytest.raises(InvalidInput, match="44 are needed"):
        split(days(count), TrainingConfig())


def test_large_shares_leave_the_other_minima_intact() -> None:
    windows = split(days(49), TrainingConfig(reference_share=0.49, validation_share=0.49))
    assert [len(window) for window in windows.named().values()] == [14, 12, 14]
