"""What a score measures is recognized from the reference, whatever unit it has."""

import numpy as np
import pytest

from driftline.backtesting.request.scales import Scale, Unit, infer_scale

RNG = np.random.default_rng(5)
X = RNG.normal(size=4_000)
P = 1 / (1 + np.exp(-1.5 * X))
LABELS = (RNG.random(4_000) < P).astype(float)
NOT_GIVEN = np.full(4_000, np.nan)
PREDICTED = (P >= 0.5).astype(float)


@pytest.mark.parametrize(
    ("scores", "unit"),
    [
        (P, Unit.PROBABILITY),
        (np.where(P > 0.9, 1.0000001, P), Unit.PROBABILITY),
        (100 * P, Unit.PERCENT),
        (np.round(100 * P), Unit.PERCENT),
        (1.5 * X, Unit.LOG_ODDS),
        (1.1 * P - 0.05, Unit.NEAR_PROBABILITY),
        (300 + 550 * P, Unit.OTHER),
        (10 * P, Unit.OTHER),
    ],
)
def test_the_unit_of_a_score(scores: np.ndarray, unit: Unit) -> None:
    assert infer_scale(scores, NOT_GIVEN, LABELS) == Scale(unit)


def test_log_odds_of_a_rare_class_are_all_negative() -> None:
    odds = 0.8 * X - 5.0
    labels = (RNG.random(4_000) < 1 / (1 + np.exp(-odds))).astype(float)
    assert odds.max() < 0
    assert infer_scale(odds, NOT_GIVEN, labels).unit is Unit.LOG_ODDS


@pytest.mark.parametrize(("scores", "unit"), [(100 * P, Unit.PERCENT), (1.5 * X, Unit.LOG_ODDS)])
def test_a_unit_is_recognized_without_labels(scores: np.ndarray, unit: Unit) -> None:
    assert infer_scale(scores, NOT_GIVEN, NOT_GIVEN).unit is unit


@pytest.mark.parametrize("factor", [1, 100])
@pytest.mark.parametrize("labels", [LABELS, NOT_GIVEN])
def test_a_confidence_in_the_predicted_class_becomes_a_probability(factor: int, labels: np.ndarray) -> None:
    confidence = factor * np.maximum(P, 1 - P)
    scale = infer_scale(confidence, PREDICTED, labels)
    assert scale.of_prediction
    assert scale.probabilities(confidence, PREDICTED) == pytest.approx(P, abs=1e-12)


def test_scores_above_one_half_that_the_prediction_cuts_are_no_confidence() -> None:
    scores = 0.5 + P / 2
    assert infer_scale(scores, (scores >= 0.8).astype(float), LABELS) == Scale()


@pytest.mark.parametrize(("unit", "cut"), [(Unit.PERCENT, 50.0), (Unit.LOG_ODDS, 0.0), (Unit.PROBABILITY, 0.5)])
def test_a_threshold_is_shown_in_the_unit_of_the_score(unit: Unit, cut: float) -> None:
    assert Scale(unit).score_of(0.5) == cut
