"""Every day has a row, shares ignore missing values, and early labels give no churn rate."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from churn.columns import CDR_USAGE, Cdr
from driftline.errors import SchemaMismatch
from eda.quantities import VARIABLES
from eda.span import DaySpan
from eda.statistics import days
from eda.statistics.days import DAY, DailyCounts, DayCount, missing_name, total_name


def row(day: int, records: int = 100, labelled: int = 100, churned: int = 20, missing: int = 0) -> dict[str, object]:
    return {
        DAY: date(2026, 1, day),
        DayCount.RECORDS: records,
        DayCount.SUBSCRIBERS: records,
        DayCount.LABELLED: labelled,
        DayCount.CHURNED: churned,
        **{total_name(column): None if missing == records else 500 for column in CDR_USAGE},
        **{missing_name(column): missing for column in VARIABLES},
    }


def week(*rows: dict[str, object]) -> DailyCounts:
    return days.from_rows(pd.DataFrame(rows), DaySpan(date(2026, 1, 1), date(2026, 1, 7)))


def test_days_without_records_have_undefined_values() -> None:
    days = week(row(2), row(7))
    assert len(days.counts) == 7
    assert [f"{day:%d}" for day in days.empty_days] == ["01", "03", "04", "05", "06"]
    assert days.records == 200
    for part in (days.totals, days.missing_share, days.means):
        assert part.isna().all(axis=1).tolist() == [True, False, True, True, True, True, False]


@pytest.mark.parametrize(("labelled", "settled"), [(0, False), (94, False), (95, True), (100, True)])
def test_a_rate_waits_for_95_percent_of_the_labels(labelled: int, settled: bool) -> None:
    days = week(row(1, labelled=labelled, churned=min(labelled, 19)))
    assert list(days.settled) == [settled] + [False] * 6
    assert (days.overall_churn_rate() is not None) is settled
    assert days.churn_rate.notna().iloc[0] == settled
    if settled:
        assert days.overall_churn_rate() == pytest.approx(19 / labelled)


def test_unsettled_days_do_not_raise_the_overall_rate() -> None:
    assert week(row(1), row(2, labelled=9, churned=9)).overall_churn_rate() == pytest.approx(0.2)


def test_means_ignore_missing_values() -> None:
    days = week(row(1, missing=50), row(2, missing=100))
    assert days.means[Cdr.MOC_COUNT].iloc[0] == pytest.approx(10)
    assert np.isnan(days.means[Cdr.MOC_COUNT].iloc[1])
    assert days.missing_share[Cdr.MOC_COUNT].tolist()[:2] == [0.5, 1.0]


def test_a_missing_column_is_named() -> None:
    with pytest.raises(SchemaMismatch, match="missing: subscribers"):
        days.from_rows(pd.DataFrame([row(1)]).drop(columns="subscribers"), DaySpan(date(2026, 1, 1), date(2026, 1, 1)))
