"""The decision threshold, and the performance of windows with it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from churn_jobs.trainers.calibration import LogisticCalibration
from churn_jobs.trainers.score_table import STEP, ScoreTable
from churn_jobs.trainers.threshold import choose, quality
from driftline.errors import InvalidInput

CURVE = LogisticCalibration(-1.0, 1.3)
COUNTS = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=2, max_size=12)


@given(counts=COUNTS)
def test_no_other_threshold_has_a_higher_f1(counts: list[tuple[int, int]]) -> None:
    counts[0] = (counts[0][0], max(counts[0][1], 1))
    bins = np.arange(1, len(counts) + 1) * 700
    table = ScoreTable.of(bins, [stayed + churned for stayed, churned in counts], [churned for _, churned in counts])
    scores = CURVE(np.repeat(bins, table.rows) * STEP)
    labels = np.concatenate([[1] * churned + [0] * stayed for stayed, churned in counts])
    threshold = choose(table, CURVE)
    best = max(f1_score(labels, scores >= score) for score in np.unique(scores))
    assert f1_score(labels, scores >= threshold) == pytest.approx(best)
    measured = quality(table, CURVE, threshold)
    assert measured.f1 == pytest.approx(best)
    assert measured.accuracy == pytest.approx(accuracy_score(labels, scores >= threshold))
    assert (measured.rows, measured.churned) == (len(labels), labels.sum())


def test_without_positive_predictions_f1_is_zero() -> None:
    measured = quality(ScoreTable.of([10, 20], [5, 5], [1, 1]), CURVE, threshold=1.0)
    assert measured.f1 == 0
    assert measured.accuracy == pytest.approx(0.8)


def test_without_churn_there_is_no_f1_and_no_threshold() -> None:
    table = ScoreTable.of([10, 20], [5, 5], [0, 0])
    measured = quality(table, CURVE, threshold=0.5)
    assert measured.f1 is None
    assert measured.roc_auc is None
    with pytest.raises(InvalidInput, match="no churned rows"):
        choose(table, CURVE)
