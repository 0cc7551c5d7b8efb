"""From the output of trees to scores and a prediction. No I/O here."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from driftline.artifacts.inputs import Matrix
from driftline.engine.catalogue import Problem

CLIP = 1e-6
"""Scores are clipped to this distance from 0 and 1 before a calibration, where the logit is undefined."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The prediction of one row, with the probability of class 1 (binary) or of each class (multiclass)."""

    prediction: int | float | str
    score: float | None = None
    scores: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class ScoreCalibration:
    """Probability = 1 / (1 + exp(-(intercept + slope * logit(score))))."""

    intercept: float
    slope: float

    def __call__(self, scores: Matrix) -> Matrix:
        """Return the probability for each score."""
        clipped = np.clip(scores, CLIP, 1 - CLIP)
        calibrated: Matrix = 1 / (1 + np.exp(-(self.intercept + self.slope * np.log(clipped / (1 - clipped)))))
        return calibrated


@dataclass(frozen=True, slots=True)
class OutputRule:
    """How the output of trees is read, by the problem: `classes` are those of a multiclass model, in their order.

    A binary model predicts 1 from the score `threshold` on, after its calibration where it has one.
    """

    problem: Problem
    classes: tuple[str, ...] = ()
    threshold: float = 0.5
    calibration: ScoreCalibration | None = None

    def read(self, output: Matrix) -> list[Scored]:
        """Return the prediction of each row from an output of rows by classes, or of one column."""
        if self.problem is Problem.REGRESSION:
            return [Scored(float(value)) for value in output[:, 0]]
        if self.problem is Problem.MULTICLASS:
            return [self._of_classes(row) for row in output]
        return [Scored(int(score >= self.threshold), float(score)) for score in self.binary_scores(output)]

    def binary_scores(self, output: Matrix) -> Matrix:
        """Return the probability of class 1 of each row of a binary model's output."""
        return output[:, -1] if self.calibration is None else self.calibration(output[:, -1])

    def _of_classes(self, row: Matrix) -> Scored:
        scores = dict(zip(self.classes, map(float, row), strict=True))
        return Scored(self.classes[int(np.argmax(row))], scores=scores)
