"""Calibration: the probabilities are those that the labels were drawn with."""

import numpy as np
import pytest
from scipy.special import expit, logit

from churn_jobs.trainers.calibration import fit
from churn_jobs.trainers.score_table import ScoreTable
from driftline.errors import InvalidInput

BINS = np.arange(500, 9501, 100)


def drawn(intercept: float, slope: float, rows: int = 20_000) -> ScoreTable:
    chance = expit(intercept + slope * logit(BINS * 1e-4))
    return ScoreTable.of(BINS, np.full(len(BINS), rows), np.rint(rows * chance))


@pytest.mark.parametrize(("intercept", "slope"), [(0.0, 1.0), (-1.8, 1.0), (-1.2, 2.5), (0.7, 0.3)])
def test_fit_recovers_the_curve_that_drew_the_labels(intercept: float, slope: float) -> None:
    calibration = fit(drawn(intercept, slope))
    assert (calibration.intercept, calibration.slope) == pytest.approx((intercept, slope), abs=0.01)
    assert calibration([0.5]) == pytest.approx(expit(intercept), abs=0.01)


def test_mean_probability_is_the_share_of_churn() -> None:
    table = drawn(-1.8, 1.3)
    mean = np.average(fit(table)(table.scores), weights=table.rows)
    assert mean == pytest.approx(table.churned / table.total, abs=1e-4)


def test_scores_that_separate_the_classes_give_finite_parameters() -> None:
    calibration = fit(ScoreTable.of([0, 10_000], [50, 50], [0, 50]))
    low, high = calibration([0.0, 1.0])
    assert 0 < low < 0.05
    assert 0.95 < high < 1


def test_one_class_only_is_refused() -> None:
    with pytest.raises(InvalidInput, match="only one class"):
        fit(ScoreTable.of([1, 2], [10, 10], [10, 10]))


def test_scores_that_rank_in_reverse_are_refused() -> None:
    with pytest.raises(InvalidInput, match="Higher validation scores do not mean more churn"):
        fit(drawn(0.0, -1.0))
