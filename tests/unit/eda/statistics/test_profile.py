"""One pass over chunks gives the statistics of all rows; labels of unsettled days are left out."""

import numpy as np
import pandas as pd
import pytest

from churn.columns import CDR_USAGE, Cdr
from eda.quantities import VARIABLES
from eda.statistics.correlation import CorrelationMethod, matrix, with_churn
from eda.statistics.exploration import Exploration
from eda.statistics.profile import DAY_NUMBER, Group, profile
from tests.unit.eda.sample_records import FIRST, SUBSCRIBERS, explored, records


def test_correlations_equal_those_of_pandas_over_all_rows(ordinary: Exploration) -> None:
    frame = records()[list(VARIABLES)]
    for method, name in ((CorrelationMethod.PEARSON, "pearson"), (CorrelationMethod.SPEARMAN, "spearman")):
        expected = frame.corr(method="pearson" if name == "pearson" else "spearman")
        np.testing.assert_allclose(matrix(ordinary.correlations[method]), expected, atol=1e-9)


def test_rows_are_split_by_their_label(ordinary: Exploration) -> None:
    labels = records()[Cdr.PSEUDO_CHURNED]
    counted = {group: ordinary.profile.histograms[Cdr.MOC_COUNT, group].total for group in Group}
    assert counted == {
        Group.STAYED: (labels == 0).sum(),
        Group.CHURNED: (labels == 1).sum(),
        Group.UNKNOWN: 3 * SUBSCRIBERS,
    }


def test_labels_of_unsettled_days_are_left_out() -> None:
    frame = records()
    first = frame[DAY_NUMBER] == FIRST.toordinal()
    settled = pd.DatetimeIndex([pd.Timestamp(FIRST)])
    profiled = profile([frame], settled)
    assert profiled.histograms[Cdr.MOC_COUNT, Group.UNKNOWN].total == (~first).sum()
    assert profiled.moments.rows[0, VARIABLES.index(Cdr.PSEUDO_CHURNED)] == first.sum()
    assert profiled.sample.rows[Cdr.PSEUDO_CHURNED].notna().sum() == first.sum()


def test_no_labels_leave_correlations_undefined_with_a_reason() -> None:
    frame = records()
    frame[Cdr.PSEUDO_CHURNED] = np.nan
    for pairs in explored(frame).correlations.values():
        churn = with_churn(pairs)
        assert {(pair.value, pair.reason) for pair in churn.values()} == {(None, "0 rows have both; 30 are needed")}


def test_a_single_class_leaves_correlations_undefined() -> None:
    frame = records()
    frame[Cdr.PSEUDO_CHURNED] = 0.0
    for pairs in explored(frame).correlations.values():
        churn = with_churn(pairs)
        assert {(pair.value, pair.reason) for pair in churn.values()} == {(None, "one of the two has a single value")}


def test_a_small_sample_is_close_to_all_rows(ordinary: Exploration) -> None:
    small = explored(records(), capacity=1000)
    assert not small.profile.sample.is_complete
    assert len(small.profile.sample.rows) == 1000
    for exact, part in zip(*(e.correlations[CorrelationMethod.SPEARMAN] for e in (ordinary, small)), strict=True):
        assert part.value == pytest.approx(exact.value, abs=4 / np.sqrt(800))
    assert small.correlations[CorrelationMethod.PEARSON] == ordinary.correlations[CorrelationMethod.PEARSON]


@pytest.mark.slow
def test_summaries_ignore_missing_values() -> None:
    frame = records()
    frame.loc[frame.index[::4], Cdr.DATA_VOLUME] = np.nan
    summary = explored(frame).columns[CDR_USAGE.index(Cdr.DATA_VOLUME)]
    values = frame[Cdr.DATA_VOLUME].dropna()
    assert summary.values == len(values)
    assert summary.missing_share == pytest.approx(0.25)
    assert (summary.minimum, summary.maximum) == (values.min(), values.max())
    assert summary.mean == pytest.approx(values.mean())
    assert summary.deviation == pytest.approx(values.std())
    assert summary.median == pytest.approx(values.median(), rel=0.01)


def test_statistics_of_an_empty_column_are_undefined() -> None:
    frame = records()
    frame[Cdr.MOC_COUNT] = np.nan
    summary = explored(frame).columns[0]
    numbers = (summary.mean, summary.deviation, summary.minimum, summary.median, summary.zero_share)
    assert (summary.values, summary.missing_share, numbers) == (0, 1.0, (None,) * 5)
    assert summary.pearson.value is None
