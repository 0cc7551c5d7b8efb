"""The difference of two ROC AUCs, and its error where the same subjects come again."""

import numpy as np
import pytest

from driftline.engine.comparison.paired_roc_auc import paired_roc_auc
from driftline.engine.performance.ranks import roc_auc_of
from driftline.errors import InvalidInput
from tests.unit.engine.comparison.worlds import LAW, LinearWorld, trained


def test_the_values_are_the_roc_aucs_with_ties() -> None:
    draw = np.random.default_rng(5)
    labels = (draw.random(400) < 0.3).astype(float)
    first, second = draw.normal(size=400) + labels, draw.integers(0, 4, 400) + labels
    compared = paired_roc_auc(labels, first, second.astype(float), np.arange(400))
    assert compared.first == pytest.approx(roc_auc_of(first, labels))
    assert compared.second == pytest.approx(roc_auc_of(second.astype(float), labels))
    assert compared.difference == compared.second - compared.first
    assert (compared.rows, compared.positives, compared.subjects) == (400, labels.sum(), 400)


def test_independent_rows_have_the_error_of_delong() -> None:
    """With 4 positives and 3 negatives the shares can be written down; each row is a subject of its own."""
    labels = np.array([1, 1, 1, 1, 0, 0, 0], float)
    scores = np.array([0.9, 0.8, 0.3, 0.5, 0.4, 0.2, 0.5])
    of_positives, of_negatives = np.array([1, 1, 1 / 3, 2.5 / 3]), np.array([3 / 4, 1, 2.5 / 4])
    squares = np.sum(((of_positives - 9.5 / 12) / 4) ** 2) + np.sum(((of_negatives - 9.5 / 12) / 3) ** 2)
    compared = paired_roc_auc(labels, scores, -scores, np.arange(7))
    assert compared.first == pytest.approx(9.5 / 12)
    assert compared.first_error == pytest.approx(np.sqrt(7 / 6 * squares))
    assert compared.difference_error == pytest.approx(2 * compared.first_error)


@pytest.mark.slow
def test_the_error_accounts_for_dependent_rows() -> None:
    weights, other = LAW, np.array([1.0, 0.2, 0.4, 0.5])
    differences, by_subject, by_row = [], [], []
    for seed in range(150):
        features, labels, subscribers = LinearWorld(seed).days(10, LAW, 0)
        compared = paired_roc_auc(labels, features @ weights, features @ other, subscribers)
        rows = paired_roc_auc(labels, features @ weights, features @ other, np.arange(len(labels)))
        differences.append(compared.difference)
        by_subject.append(compared.difference_error)
        by_row.append(rows.difference_error)
    spread = float(np.std(differences, ddof=1))
    assert np.mean(by_subject) == pytest.approx(spread, rel=0.2)
    assert np.mean(by_row) < 0.7 * spread


def test_the_same_score_twice_differs_by_nothing() -> None:
    features, labels, subscribers = LinearWorld(1).days(5, LAW, 0)
    score = features @ trained(features, labels)
    compared = paired_roc_auc(labels, score, 2 * score + 1, subscribers)
    assert (compared.difference, compared.difference_error, compared.lower(3)) == (0, 0, 0)


@pytest.mark.parametrize(("labels", "subjects"), [([1, 1], [0, 1]), ([0, 1], [0, 0]), ([], [])])
def test_too_little_is_refused(labels: list[float], subjects: list[int]) -> None:
    values = np.array(labels, float)
    with pytest.raises(InvalidInput, match="cannot be compared"):
        paired_roc_auc(values, values, values, np.array(subjects, np.int64))
