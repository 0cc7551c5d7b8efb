"""Infers the scale of a binary model's score from the reference, and converts scores to probabilities. No I/O here.

A score may be a probability, percent, log-odds, or the confidence in the predicted class. Where several scales are
possible, the one with the lowest Brier score is chosen.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import log

import numpy as np

from driftline.backtesting.inference import Inference
from driftline.engine.frames.columns import FloatArray
from driftline.engine.performance.ranks import roc_auc_of
from driftline.engine.performance.scores import ROUNDING, are_probabilities

PERCENT = 100.0
NEAR_SHARE = 0.9
"""A score with at least this share of rows in 0 to 1 may be a probability from a model with unbounded output."""
LARGEST_LOG_ODDS = 30.0
"""Scores farther from 0 are not log-odds: as probabilities, distinct scores would become equal."""
CLEARLY_PERCENT = 10.0
"""A score in 0 to 100 with a maximum above this is percent, whatever its Brier score is."""
SAME_ORDER = 0.95
"""With a lower ROC AUC of scores for predictions, the predictions are not made by a threshold on the scores."""


class ScoreUnit(StrEnum):
    """The unit of a score."""

    PROBABILITY = "probability"
    NEAR_PROBABILITY = "near_probability"
    PERCENT = "percent"
    LOG_ODDS = "log_odds"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ScoreScale:
    """The unit of a score, and whether it is the confidence in the predicted class rather than in class 1."""

    unit: ScoreUnit = ScoreUnit.PROBABILITY
    of_prediction: bool = False

    def probabilities(self, scores: FloatArray, predictions: FloatArray) -> FloatArray:
        """Return the probability of class 1; scores of unit OTHER are returned unchanged."""
        values = _from_unit(self.unit, scores)
        if not self.of_prediction:
            return values
        return np.where(predictions == 1, values, np.where(predictions == 0, 1 - values, np.nan))

    def score_of(self, probability: float) -> float:
        """Return the score for a probability of class 1."""
        if self.unit is ScoreUnit.PERCENT:
            return probability * PERCENT
        return log(probability / (1 - probability)) if self.unit is ScoreUnit.LOG_ODDS else probability


PROBABILITY_SCALE = ScoreScale()
"""The scale of a score that is the probability of class 1."""


def infer_scale(scores: FloatArray, predictions: FloatArray, labels: FloatArray) -> ScoreScale:
    """Return the scale of `scores`; `predictions` and `labels` are 0, 1 or NaN."""
    finite = np.isfinite(scores)
    unit = _infer_unit(scores[finite], labels[finite])
    confident = _is_confidence(_from_unit(unit, scores[finite]), predictions[finite], labels[finite])
    return ScoreScale(unit, of_prediction=confident)


def describe_scale(scale: ScoreScale, column: str, scores: FloatArray, threshold: float | None) -> Inference:
    """Return the note on a score that is not a probability of class 1; `threshold` is that of predictions from it."""
    finite = scores[np.isfinite(scores)]
    span = f"it goes from {finite.min():.6g} to {finite.max():.6g} in the reference, and a probability from 0 to 1"
    cut = "" if threshold is None else f"; the prediction is 1 from {threshold:.6g} on"
    values = {
        ScoreUnit.PROBABILITY: f"{column} is used unchanged",
        ScoreUnit.NEAR_PROBABILITY: f"{column} is read as a probability, with some values outside 0 to 1",
        ScoreUnit.PERCENT: f"{column} is read as percent, and divided by 100",
        ScoreUnit.LOG_ODDS: f"{column} is read as log-odds, and turned into probabilities",
        ScoreUnit.OTHER: f"{column} is not a probability: only its order counts, and estimates calibrate it{cut}",
    }
    if not scale.of_prediction:
        return Inference("score", values[scale.unit], span, notable=True)
    rule = "it is never below one half while both classes are predicted; for class 0 it is subtracted from 1"
    value = f"{column} is read as the confidence in the predicted class, not as the probability of class 1"
    percent = ", in percent" if scale.unit is ScoreUnit.PERCENT else ""
    return Inference("score", value + percent, rule, notable=True)


def _from_unit(unit: ScoreUnit, scores: FloatArray) -> FloatArray:
    """Return scores of a unit as probabilities; those of other units unchanged."""
    if unit is ScoreUnit.PERCENT:
        return scores / PERCENT
    if unit is ScoreUnit.LOG_ODDS:
        return 1 / (1 + np.exp(-np.clip(scores, -2 * LARGEST_LOG_ODDS, 2 * LARGEST_LOG_ODDS)))
    return scores


def _infer_unit(scores: FloatArray, labels: FloatArray) -> ScoreUnit:
    """Return the unit of finite scores."""
    if are_probabilities(scores):
        return ScoreUnit.PROBABILITY
    units = _possible_units(scores)
    labelled = np.isfinite(labels)
    rate = float(labels[labelled].mean()) if labelled.any() else 0.0
    if not units or rate in (0.0, 1.0):
        return units[0] if units else ScoreUnit.OTHER
    losses = {unit: _brier(unit, scores[labelled], labels[labelled]) for unit in units}
    best = min(units, key=lambda unit: losses[unit])
    return best if losses[best] < rate * (1 - rate) or _is_clear(best, scores) else ScoreUnit.OTHER


def _possible_units(scores: FloatArray) -> list[ScoreUnit]:
    """Return the units that the range of the scores allows, the most likely first."""
    low, high = float(scores.min()), float(scores.max())
    near = low >= -1 and high <= 2 and float(np.mean((scores >= 0) & (scores <= 1))) >= NEAR_SHARE
    percent = low >= -ROUNDING * PERCENT and high <= PERCENT * (1 + ROUNDING)
    log_odds = low < 0 and max(-low, high) <= LARGEST_LOG_ODDS
    possible = {ScoreUnit.NEAR_PROBABILITY: near, ScoreUnit.PERCENT: percent, ScoreUnit.LOG_ODDS: log_odds}
    return [unit for unit, fits in possible.items() if fits]


def _brier(unit: ScoreUnit, scores: FloatArray, labels: FloatArray) -> float:
    """Return the Brier score of scores in a unit, as probabilities of class 1 or of class 0, whichever is lower."""
    values = np.clip(_from_unit(unit, scores), 0, 1)
    return min(float(np.mean((values - labels) ** 2)), float(np.mean((1 - values - labels) ** 2)))


def _is_clear(unit: ScoreUnit, scores: FloatArray) -> bool:
    """Return whether the range of the scores is sufficient evidence for a unit."""
    low, high = float(scores.min()), float(scores.max())
    return high > CLEARLY_PERCENT if unit is ScoreUnit.PERCENT else low < 0 < high


def _is_confidence(values: FloatArray, predictions: FloatArray, labels: FloatArray) -> bool:
    """Return whether probabilities, none below one half, are those of the predicted class."""
    predicted = np.isfinite(predictions)
    values, predictions, labels = values[predicted], predictions[predicted], labels[predicted]
    if len(np.unique(predictions)) < 2 or values.min() < 0.5 - ROUNDING or values.max() > 1 + ROUNDING:
        return False
    order = roc_auc_of(values, predictions)
    if order is None or order >= SAME_ORDER:
        return False
    labelled = np.isfinite(labels)
    of_class_1 = np.where(predictions == 1, values, 1 - values)[labelled]
    unchanged, converted = roc_auc_of(values[labelled], labels[labelled]), roc_auc_of(of_class_1, labels[labelled])
    return unchanged is None or converted is None or converted > unchanged
