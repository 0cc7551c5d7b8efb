"""The scale of a score is inferred from the reference."""

import numpy as np
import pytest

from driftline.backtesting.request.outputs.scales import ScoreScale, ScoreUnit, infer_scale

RNG = np.random.default_rng(5)
X = RNG.normal(size=4_000)
P = 1 / (1 + np.exp(-1.5 * X))
LABELS = (RNG.random(4_000) < P).astype(float)
MISSING = np.full(4_000, np.nan)
PREDICTED = (P >= 0.5).astype(float)


@pytest.mark.parametrize(
    ("scores", "unit"),
    [
        (P, ScoreUnit.PROBABILITY),
        (np.where(P > 0.9, 1.0000001, P), ScoreUnit.PROBABILITY),
        (100 * P, ScoreUnit.PERCENT),
        (np.round(100 * P), ScoreUnit.PERCENT),
        (1.5 * X, ScoreUnit.LOG_ODDS),
        (1.1 * P - 0.05, ScoreUnit.NEAR_PROBABILITY),
        (300 + 550 * P, ScoreUnit.OTHER),
        (10 * P, ScoreUnit.OTHER),
    ],
)
def test_the_unit_of_a_score_is_inferred(scores: np.ndarray, unit: ScoreUnit) -> None:
    assert infer_scale(scores, MISSING, LABELS) == ScoreScale(unit)


def test_log_odds_of_a_rare_class_are_all_negative() -> None:
    odds = 0.8 * X - 5.0
    labels = (RNG.random(4_000) < 1 / (1 + np.exp(-odds))).astype(float)
    assert odds.max() < 0
    assert infer_scale(odds, MISSING, labels).unit is ScoreUnit.LOG_ODDS


@pytest.mark.parametrize(("scores", "unit"), [(100 * P, ScoreUnit.PERCENT), (1.5 * X, ScoreUnit.LOG_ODDS)])
def test_a_unit_is_inferred_without_labels(scores: np.ndarray, unit: ScoreUnit) -> None:
    assert infer_scale(scores, MISSING, MISSING).unit is unit


@pytest.mark.parametrize("factor", [1, 100])
@pytest.mark.parametrize("labels", [LABELS, MISSING])
def test_a_confidence_is_converted_to_a_probability(factor: int, labels: np.ndarray) -> None:
    confidence = factor * np.maximum(P, 1 - P)
    scale = infer_scale(confidence, PREDICTED, labels)
    assert scale.of_prediction
    assert scale.probabilities(confidence, PREDICTED) == pytest.approx(P, abs=1e-12)


def test_scores_above_one_half_can_be_probabilities() -> None:
    scores = 0.5 + P / 2
    assert infer_scale(scores, (scores >= 0.8).astype(float), LABELS) == ScoreScale()


@pytest.mark.parametrize(
    ("unit", "cut"), [(ScoreUnit.PERCENT, 50.0), (ScoreUnit.LOG_ODDS, 0.0), (ScoreUnit.PROBABILITY, 0.5)]
)
def test_a_threshold_is_shown_in_the_unit_of_the_score(unit: ScoreUnit, cut: float) -> None:
    assert ScoreScale(unit).score_of(0.5) == cut
