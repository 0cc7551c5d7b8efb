"""Estimated performance without labels: confidence-based performance estimation (CBPE). No I/O here.

Each class's calibrated score, made to add up to 1 over the classes, is taken for the probability that the label will be
that class, and each metric is computed as expected under it. So estimates are blind to concept drift by construction.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from driftline.engine.columns import FloatArray
from driftline.engine.outcome import undefined
from driftline.engine.performance import calibration
from driftline.engine.performance.calibration import Calibration
from driftline.engine.performance.deviations import Deviations
from driftline.engine.performance.multiclass.confusion import Confusion
from driftline.engine.performance.multiclass.measure import Found, all_undefined, measure
from driftline.engine.performance.multiclass.roc import expected_areas
from driftline.engine.performance.multiclass.rows import Rows
from driftline.engine.results import Metric
from driftline.engine.spec import Spec


@dataclass(frozen=True, slots=True, eq=False)
class Cbpe:
    """What the reference says about scores: a curve to probabilities for each class, or why there can be none."""

    calibrations: tuple[Calibration, ...]
    reason: str | None = None

    def __call__(self, scores: FloatArray) -> FloatArray:
        """Return the probability of each class, (rows, classes); equal ones where all scores say none."""
        raw = np.column_stack([curve(column) for curve, column in zip(self.calibrations, scores.T, strict=True)])
        total = raw.sum(axis=1, keepdims=True)
        even = np.full_like(raw, 1 / raw.shape[1])
        return np.asarray(np.divide(raw, total, out=even, where=total != 0), dtype=np.float64)

    def to_dict(self) -> dict[str, Any]:
        """Return the state as values that JSON has."""
        return {"calibrations": [curve.to_dict() for curve in self.calibrations], "reason": self.reason}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return what `to_dict` was made from."""
        return cls(tuple(Calibration.from_dict(curve) for curve in state["calibrations"]), state["reason"])


def fit(rows: Rows, spec: Spec) -> Cbpe:
    """Fit a calibration for each class on the reference's rows, given one by one in the order of time.

    Rows without a score or a label are left out. Each class is calibrated against the rest, where that helps.
    """
    usable = rows.labelled.scored
    targets = [(usable.labels == position).astype(np.int64) for position in range(len(spec.classes))]
    for name, target in zip(spec.classes, targets, strict=True):
        if not calibration.can_fit(target):
            known = f"{int(target.sum())} of {len(target)} labelled rows"
            return Cbpe((), f"the reference has too few rows of class {name} to calibrate on ({known})")
    columns = zip(usable.scores.T, targets, strict=True)
    return Cbpe(tuple(calibration.fit(np.ascontiguousarray(scores), target) for scores, target in columns))


@dataclass(frozen=True, eq=False)
class Expected:
    """Rows with all their scores, the probability of each class, (rows, classes), and what metrics need of them."""

    scored: Rows
    probabilities: FloatArray

    @cached_property
    def rows(self) -> int:
        """How many rows there are."""
        return self.scored.rows

    @cached_property
    def by_class(self) -> FloatArray:
        """How many rows are expected of each class."""
        return np.asarray((self.probabilities * self.scored.counts[:, np.newaxis]).sum(axis=0))

    @cached_property
    def confusion(self) -> Confusion:
        """The rows, all of which have a prediction, by class as expected and predicted class."""
        return Confusion.expected(self.scored, self.probabilities)

    @cached_property
    def areas(self) -> FloatArray:
        """The area under each class's expected ROC curve."""
        return expected_areas(self.scored, self.probabilities)


def outcomes(state: Cbpe, errors: Deviations, summary: Rows, spec: Spec) -> Found:
    """Estimate the spec's metrics over all scored rows of a chunk, labelled or not, with standard errors.

    ROC AUC needs rows with all scores, the others rows with a prediction too. Fewer than the spec's minimum rows, or
    rows expected of a class, is insufficient, and so is precision where a class was never predicted. As NannyML 0.13.1,
    but for ties (`roc.expected_areas`).
    """
    scored, predicted = summary.scored, summary.scored.predicted
    if state.reason:
        for metric in spec.metrics:
            rows = scored.rows if metric is Metric.ROC_AUC else predicted.rows
            yield from all_undefined(metric, spec, undefined(rows, state.reason))
        return
    ranked, claimed = (Expected(rows, state(rows.scores)) for rows in (scored, predicted))
    for metric in spec.metrics:
        yield from measure(metric, spec, ranked if metric is Metric.ROC_AUC else claimed, errors, "rows expected")
