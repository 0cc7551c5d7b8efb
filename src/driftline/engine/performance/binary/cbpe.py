"""Estimated performance without labels: confidence-based performance estimation (CBPE). No I/O here.

The calibrated score is taken for the probability that the label will be 1, and each metric is computed as expected
under it. So estimates are blind to concept drift by construction.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from driftline.engine.columns import FloatArray, IntArray
from driftline.engine.outcome import Outcome, finite, too_few, undefined
from driftline.engine.performance import calibration
from driftline.engine.performance.binary.sampling import SamplingErrors
from driftline.engine.performance.binary.scores import Scores
from driftline.engine.performance.calibration import Calibration
from driftline.engine.results import Metric
from driftline.engine.spec import ModelSpec


@dataclass(frozen=True, slots=True, eq=False)
class Cbpe:
    """What the reference says about scores: the curve to probabilities, or the reason why there can be none."""

    calibration: Calibration | None
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the state as values that JSON has."""
        return {"calibration": self.calibration.to_dict() if self.calibration else None, "reason": self.reason}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return what `to_dict` was made from."""
        curve = state["calibration"]
        return cls(Calibration.from_dict(curve) if curve else None, state["reason"])


def fit(scores: FloatArray, labels: IntArray) -> Cbpe:
    """Fit the calibration on the reference's rows with a finite score and a label, in the order of time."""
    if calibration.can_fit(labels):
        return Cbpe(calibration.fit(scores, labels))
    return Cbpe(None, f"the reference has too few labelled rows of both classes to calibrate on ({len(labels)} in all)")


def finish(state: Cbpe, errors: SamplingErrors, summary: Scores, metric: Metric, spec: ModelSpec) -> Outcome:
    """Estimate `metric` over all scored rows of a chunk, labelled or not, with its standard error; as NannyML 0.13.1.

    ROC AUC needs rows with a score, the others rows with a prediction too. Fewer than the spec's minimum rows, or rows
    expected of the rarer class, is insufficient.
    """
    usable = summary.scored if metric is Metric.ROC_AUC else summary.scored.predicted
    if state.calibration is None:
        return undefined(usable.rows, state.reason or "no estimate is possible")
    probabilities = state.calibration(usable.scores)
    reason = _insufficiency(usable, probabilities, spec)
    if reason:
        return undefined(usable.rows, reason)
    value = finite(_METRICS[metric](usable, probabilities))
    if value is None:
        return undefined(usable.rows, f"{metric} is not defined for these probabilities")
    return Outcome(value, usable.rows, sampling_error=errors.of(metric, usable.rows))


def _insufficiency(usable: Scores, probabilities: FloatArray, spec: ModelSpec) -> str | None:
    positives = float(np.sum(probabilities * usable.counts))
    rarer = min(positives, usable.rows - positives)
    few = too_few(usable.rows, spec.minimum_rows, "scored rows")
    if few or rarer >= spec.minimum_class_rows:
        return few
    return f"{rarer:.1f} rows expected of the rarer class, fewer than the minimum of {spec.minimum_class_rows}"


def _roc_auc(rows: Scores, probabilities: FloatArray) -> float:
    """Return the area under the expected ROC curve, from the highest score down."""
    expected = np.repeat(probabilities, rows.counts)[::-1]
    hits = np.cumsum(expected)
    alarms = np.arange(1, len(expected) + 1) - hits
    # Rounded to 5 decimals because NannyML rounds so: values stay equal to its own.
    x, y = (np.round(np.concatenate(([0.0], curve)), 5) for curve in (alarms, hits))
    if not x[-1] or not y[-1]:
        return float("nan")
    x, y = x / x[-1], y / y[-1]
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1])) / 2)


def _f1(rows: Scores, probabilities: FloatArray) -> float:
    positives = probabilities * rows.counts
    claimed = rows.predictions == 1
    hits = np.sum(positives[claimed])
    relevant = hits + 0.5 * (np.sum((rows.counts - positives)[claimed]) + np.sum(positives[~claimed]))
    return float(hits / relevant) if relevant else float("nan")


def _accuracy(rows: Scores, probabilities: FloatArray) -> float:
    right = np.where(rows.predictions == 1, probabilities, 1 - probabilities)
    return float(np.sum(right * rows.counts) / rows.rows)


_METRICS: dict[Metric, Callable[[Scores, FloatArray], float]] = {
    Metric.ROC_AUC: _roc_auc,
    Metric.F1: _f1,
    Metric.ACCURACY: _accuracy,
}
