"""Estimated performance without labels: confidence-based performance estimation (CBPE). No I/O here.

The calibrated scores of the classes, normalized to a sum of 1, are taken as the probabilities of the label, and each
metric is computed from the counts expected under them. By construction, estimates cannot see concept drift.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from driftline.engine.catalogue import SCORE_METRICS
from driftline.engine.frames.columns import FloatArray
from driftline.engine.outcome import undefined
from driftline.engine.performance import calibration
from driftline.engine.performance.calibration import Calibration
from driftline.engine.performance.deviations import RowDeviations
from driftline.engine.performance.multiclass.confusion import MulticlassConfusion
from driftline.engine.performance.multiclass.metrics import MetricOutcomes, all_undefined, compute_metric
from driftline.engine.performance.multiclass.roc import expected_roc_aucs
from driftline.engine.performance.multiclass.rows import MulticlassRows
from driftline.engine.spec import Spec


@dataclass(frozen=True, slots=True, eq=False)
class MulticlassCbpe:
    """The fitted calibration of each class's score, or the reason why there is none."""

    calibrations: tuple[Calibration, ...]
    reason: str | None = None

    def __call__(self, scores: FloatArray) -> FloatArray:
        """Return the probability of each class, (rows, classes); equal probabilities if all calibrated scores are 0."""
        raw = np.column_stack([curve(column) for curve, column in zip(self.calibrations, scores.T, strict=True)])
        total = raw.sum(axis=1, keepdims=True)
        uniform = np.full_like(raw, 1 / raw.shape[1])
        return np.asarray(np.divide(raw, total, out=uniform, where=total != 0), dtype=np.float64)

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON-compatible values."""
        return {"calibrations": [curve.to_dict() for curve in self.calibrations], "reason": self.reason}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        return cls(tuple(Calibration.from_dict(curve) for curve in state["calibrations"]), state["reason"])


def fit(rows: MulticlassRows, spec: Spec) -> MulticlassCbpe:
    """Fit a calibration for each class on the reference's single rows, in time order.

    Rows without a score or a label are ignored. Each class is calibrated against the rest, if that helps.
    """
    usable = rows.labelled.scored
    targets = [(usable.labels == position).astype(np.int64) for position in range(len(spec.classes))]
    for name, target in zip(spec.classes, targets, strict=True):
        if not calibration.can_fit(target):
            counts = f"{int(target.sum())} of {len(target)} labelled rows"
            return MulticlassCbpe((), f"the reference has too few rows of class {name} to calibrate on ({counts})")
    columns = zip(usable.scores.T, targets, strict=True)
    return MulticlassCbpe(tuple(calibration.fit(np.ascontiguousarray(scores), target) for scores, target in columns))


@dataclass(frozen=True, eq=False)
class ExpectedStatistics:
    """Statistics of scored rows, expected under the probability of each class, (rows, classes)."""

    scored: MulticlassRows
    probabilities: FloatArray

    @cached_property
    def rows(self) -> int:
        """The number of rows."""
        return self.scored.rows

    @cached_property
    def by_class(self) -> FloatArray:
        """The expected number of rows of each class."""
        return np.asarray((self.probabilities * self.scored.counts[:, np.newaxis]).sum(axis=0))

    @cached_property
    def confusion(self) -> MulticlassConfusion:
        """The expected confusion matrix; every row has a prediction."""
        return MulticlassConfusion.expected(self.scored, self.probabilities)

    @cached_property
    def roc_aucs(self) -> FloatArray:
        """The area under each class's expected ROC curve."""
        return expected_roc_aucs(self.scored, self.probabilities)


def outcomes(state: MulticlassCbpe, errors: RowDeviations, summary: MulticlassRows, spec: Spec) -> MetricOutcomes:
    """Estimate the spec's metrics over all scored rows of a chunk, labelled or not, with standard errors.

    ROC AUC uses rows with all scores, other metrics rows that have a prediction too. The state is insufficient with
    fewer rows, or fewer expected rows of a class, than the spec's minimum, and for the precision of a class that was
    never predicted. As NannyML 0.13.1, except for ties (`roc.expected_roc_aucs`).
    """
    scored, predicted = summary.scored, summary.scored.predicted
    if state.reason:
        for metric in spec.metrics:
            rows = scored.rows if metric in SCORE_METRICS else predicted.rows
            yield from all_undefined(metric, spec, undefined(rows, state.reason))
        return
    by_score, by_prediction = (ExpectedStatistics(rows, state(rows.scores)) for rows in (scored, predicted))
    for metric in spec.metrics:
        statistics = by_score if metric in SCORE_METRICS else by_prediction
        yield from compute_metric(metric, spec, statistics, errors, "rows expected")
