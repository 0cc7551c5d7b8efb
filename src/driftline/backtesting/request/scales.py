"""What the score of a binary model measures, recognized from the reference, and the probability behind it. No I/O here.

A score may be a probability, percent, log-odds, or the confidence in the predicted class. Where several readings are
possible, labels decide: the reading with the lowest Brier score is taken.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import log

import numpy as np

from driftline.backtesting.inference import Inference
from driftline.engine.columns import FloatArray
from driftline.engine.performance.ranks import roc_auc_of
from driftline.engine.performance.scores import ROUNDING, are_probabilities

PERCENT = 100.0
MOSTLY = 0.9
"""A score with at least this share of rows in 0 to 1 may be a probability that a model without limits computed."""
LARGEST_LOG_ODDS = 30.0
"""Log-odds farther from 0 are no sensible ones: as probabilities, rows would become equal."""
CLEARLY_PERCENT = 10.0
"""Above this a score in 0 to 100 is percent, whatever its Brier score is."""
SAME_ORDER = 0.95
"""If scores order the predicted classes less clearly than this ROC AUC, predictions are no cut through them."""


class Unit(StrEnum):
    """What the numbers of a score are."""

    PROBABILITY = "probability"
    NEAR_PROBABILITY = "near_probability"
    PERCENT = "percent"
    LOG_ODDS = "log_odds"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Scale:
    """The unit of a score, and whether it is the confidence in the predicted class rather than in class 1."""

    unit: Unit = Unit.PROBABILITY
    of_prediction: bool = False

    def probabilities(self, scores: FloatArray, predictions: FloatArray) -> FloatArray:
        """Return the probability of class 1; scores of a unit that has none are returned as they are."""
        values = _in_unit(self.unit, scores)
        if not self.of_prediction:
            return values
        return np.where(predictions == 1, values, np.where(predictions == 0, 1 - values, np.nan))

    def score_of(self, probability: float) -> float:
        """Return the score that is this probability of class 1."""
        if self.unit is Unit.PERCENT:
            return probability * PERCENT
        return log(probability / (1 - probability)) if self.unit is Unit.LOG_ODDS else probability


AS_IT_IS = Scale()
"""The scale of a score that is the probability of class 1."""


def infer_scale(scores: FloatArray, predictions: FloatArray, labels: FloatArray) -> Scale:
    """Return what `scores` are; `predictions` and `labels` are 0, 1 or NaN."""
    known = np.isfinite(scores)
    unit = _infer_unit(scores[known], labels[known])
    confident = _is_confidence(_in_unit(unit, scores[known]), predictions[known], labels[known])
    return Scale(unit, of_prediction=confident)


def describe_scale(scale: Scale, column: str, scores: FloatArray, threshold: float | None) -> Inference:
    """Return a note on a score that is not the probability of class 1; `threshold` made the predictions, if any did."""
    finite = scores[np.isfinite(scores)]
    span = f"it goes from {finite.min():.6g} to {finite.max():.6g} in the reference, and a probability from 0 to 1"
    cut = "" if threshold is None else f"; the prediction is 1 from {threshold:.6g} on"
    values = {
        Unit.PROBABILITY: f"{column} is read as it is",
        Unit.NEAR_PROBABILITY: f"{column} is read as a probability, with some values outside 0 to 1",
        Unit.PERCENT: f"{column} is read as percent, and divided by 100",
        Unit.LOG_ODDS: f"{column} is read as log-odds, and turned into probabilities",
        Unit.OTHER: f"{column} is not a probability: only its order counts, and estimates calibrate it{cut}",
    }
    if not scale.of_prediction:
        return Inference("score", values[scale.unit], span, notable=True)
    rule = "it is never below one half while both classes are predicted; for class 0 it is subtracted from 1"
    value = f"{column} is read as the confidence in the predicted class, not as the probability of class 1"
    percent = ", in percent" if scale.unit is Unit.PERCENT else ""
    return Inference("score", value + percent, rule, notable=True)


def _in_unit(unit: Unit, scores: FloatArray) -> FloatArray:
    if unit is Unit.PERCENT:
        return scores / PERCENT
    if unit is Unit.LOG_ODDS:
        return 1 / (1 + np.exp(-np.clip(scores, -2 * LARGEST_LOG_ODDS, 2 * LARGEST_LOG_ODDS)))
    return scores


def _infer_unit(scores: FloatArray, labels: FloatArray) -> Unit:
    """Return the unit of finite scores."""
    if are_probabilities(scores):
        return Unit.PROBABILITY
    units = _possible_units(scores)
    labelled = np.isfinite(labels)
    rate = float(labels[labelled].mean()) if labelled.any() else 0.0
    if not units or rate in (0.0, 1.0):
        return units[0] if units else Unit.OTHER
    losses = {unit: _brier(unit, scores[labelled], labels[labelled]) for unit in units}
    best = min(units, key=lambda unit: losses[unit])
    return best if losses[best] < rate * (1 - rate) or _is_clear(best, scores) else Unit.OTHER


def _possible_units(scores: FloatArray) -> list[Unit]:
    """Return the units that the range of the scores allows, the likeliest first."""
    low, high = float(scores.min()), float(scores.max())
    near = low >= -1 and high <= 2 and float(np.mean((scores >= 0) & (scores <= 1))) >= MOSTLY
    percent = low >= -ROUNDING * PERCENT and high <= PERCENT * (1 + ROUNDING)
    log_odds = low < 0 and max(-low, high) <= LARGEST_LOG_ODDS
    possible = {Unit.NEAR_PROBABILITY: near, Unit.PERCENT: percent, Unit.LOG_ODDS: log_odds}
    return [unit for unit, fits in possible.items() if fits]


def _brier(unit: Unit, scores: FloatArray, labels: FloatArray) -> float:
    """Return the Brier score of a reading; that of the other class counts too, since which one is meant is unknown."""
    values = np.clip(_in_unit(unit, scores), 0, 1)
    return min(float(np.mean((values - labels) ** 2)), float(np.mean((1 - values - labels) ** 2)))


def _is_clear(unit: Unit, scores: FloatArray) -> bool:
    """Return whether a unit needs no labels that support it."""
    low, high = float(scores.min()), float(scores.max())
    return high > CLEARLY_PERCENT if unit is Unit.PERCENT else low < 0 < high


def _is_confidence(values: FloatArray, predictions: FloatArray, labels: FloatArray) -> bool:
    """Return whether probabilities are those of the predicted class, of which none is below one half."""
    predicted = np.isfinite(predictions)
    values, predictions, labels = values[predicted], predictions[predicted], labels[predicted]
    if len(np.unique(predictions)) < 2 or values.min() < 0.5 - ROUNDING or values.max() > 1 + ROUNDING:
        return False
    order = roc_auc_of(values, predictions)
    if order is None or order >= SAME_ORDER:
        return False
    labelled = np.isfinite(labels)
    of_class_1 = np.where(predictions == 1, values, 1 - values)[labelled]
    before, after = roc_auc_of(values[labelled], labels[labelled]), roc_auc_of(of_class_1, labels[labelled])
    return before is None or after is None or after > before
