"""Logistic calibration: from the forest's score to a probability. No I/O here.

Source: J. Platt, Probabilistic outputs for support vector machines (1999), on the logit of the score.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from churn_jobs.trainers.score_table import Floats, ScoreTable
from driftline.errors import InvalidInput

CLIP = 1e-6
"""Scores are clipped to this distance from 0 and 1, where the logit is undefined."""
ROUNDS = 50
CLOSE = 1e-12


@dataclass(frozen=True, slots=True)
class LogisticCalibration:
    """Probability = 1 / (1 + exp(-(intercept + slope * logit(score))))."""

    intercept: float
    slope: float

    def __call__(self, scores: npt.ArrayLike) -> Floats:
        """Return the probability for each score."""
        result: Floats = expit(self.intercept + self.slope * _logit(scores))
        return result


def _logit(scores: npt.ArrayLike) -> Floats:
    result: Floats = logit(np.clip(np.asarray(scores, dtype=np.float64), CLIP, 1 - CLIP))
    return result


def fit(table: ScoreTable) -> LogisticCalibration:
    """Fit by maximum likelihood with Platt's smoothed targets, so that separable classes give finite parameters.

    Raises:
        InvalidInput: there is only one class, or higher scores do not mean more churn.
    """
    if not table.has_both_classes:
        raise InvalidInput("The validation window has only one class, so scores cannot be calibrated; use more days.")
    design = np.column_stack([np.ones(len(table.bins)), _logit(table.scores)])
    calibration = LogisticCalibration(*(float(value) for value in _newton(design, table.rows, _smoothed(table))))
    if not calibration.slope > 0:
        raise InvalidInput(
            f"Higher validation scores do not mean more churn (slope {calibration.slope:.3g}); use more days."
        )
    return calibration


def _smoothed(table: ScoreTable) -> Floats:
    """Return the expected count of label 1 per bin under Platt's targets."""
    churned, stayed = table.churned, table.total - table.churned
    high, low = (churned + 1) / (churned + 2), 1 / (stayed + 2)
    result: Floats = table.positives * high + (table.rows - table.positives) * low
    return result


def _newton(design: Floats, rows: npt.NDArray[np.int64], expected: Floats) -> Floats:
    """Maximise the likelihood by Newton's method; a step that would lower the likelihood is halved."""
    weights = np.zeros(design.shape[1])
    best = _likelihood(design, rows, expected, weights)
    for _ in range(ROUNDS):
        chance = expit(design @ weights)
        curvature = (design.T * (rows * chance * (1 - chance))) @ design + 1e-9 * np.eye(len(weights))
        step = np.linalg.solve(curvature, design.T @ (expected - rows * chance))
        reached = _likelihood(design, rows, expected, weights + step)
        while reached < best and float(np.abs(step).max()) > CLOSE:
            step /= 2
            reached = _likelihood(design, rows, expected, weights + step)
        weights, best = weights + step, reached
        if float(np.abs(step).max()) <= CLOSE:
            break
    result: Floats = weights
    return result


def _likelihood(design: Floats, rows: npt.NDArray[np.int64], expected: Floats, weights: Floats) -> float:
    linear = design @ weights
    return float(np.sum(expected * linear - rows * np.logaddexp(0, linear)))
