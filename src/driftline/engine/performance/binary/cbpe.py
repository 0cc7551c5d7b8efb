"""Estimated performance without labels: confidence-based performance estimation (CBPE). No I/O here.

The calibrated score is taken as the probability that the label is 1, and each metric is its expected value under these
probabilities. By construction, estimates cannot see concept drift.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from driftline.engine.catalogue import SCORE_METRICS
from driftline.engine.frames.columns import FloatArray, IntArray
from driftline.engine.outcome import Outcome, finite, too_few, undefined
from driftline.engine.performance import calibration
from driftline.engine.performance.binary.confusion import BinaryConfusion
from driftline.engine.performance.binary.metrics import COMPUTATIONS, why_undefined
from driftline.engine.performance.binary.ranked import RankedRows
from driftline.engine.performance.binary.rows import BinaryRows
from driftline.engine.performance.binary.sampling import SamplingErrors
from driftline.engine.performance.calibration import Calibration
from driftline.engine.results import Metric
from driftline.engine.spec import Spec

_LABELS_NEEDED = "it requires labels, since an estimate assumes that calibrated scores are correct"


@dataclass(frozen=True, slots=True, eq=False)
class BinaryCbpe:
    """The fitted calibration of scores, or the reason why there is none."""

    calibration: Calibration | None
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON-compatible values."""
        return {"calibration": self.calibration.to_dict() if self.calibration else None, "reason": self.reason}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        curve = state["calibration"]
        return cls(Calibration.from_dict(curve) if curve else None, state["reason"])


def fit(scores: FloatArray, labels: IntArray) -> BinaryCbpe:
    """Fit the calibration on the reference's rows with a finite score and a label, in time order."""
    if calibration.can_fit(labels):
        return BinaryCbpe(calibration.fit(scores, labels))
    return BinaryCbpe(
        None, f"the reference has too few labelled rows of both classes to calibrate on ({len(labels)} in all)"
    )


def outcomes(
    state: BinaryCbpe, errors: SamplingErrors, summary: BinaryRows, spec: Spec
) -> Iterator[tuple[Metric, Outcome]]:
    """Estimate each metric of the spec over all scored rows of a chunk, labelled or not, with its standard error.

    As NannyML 0.13.1 where it has the metric. Metrics of the score use rows with a score, the others rows that have a
    prediction too. With fewer rows, or fewer expected rows of the rarer class, than the spec's minimum the state is
    insufficient.
    """
    scored = summary.scored
    if state.calibration is None:
        reason = state.reason or "no estimate is possible"
        yield from (
            (m, undefined((scored if m in SCORE_METRICS else scored.predicted).rows, reason)) for m in spec.metrics
        )
        return
    by_score = CalibratedRows(scored, state.calibration, spec)
    by_prediction = (
        by_score if scored.predicted is scored else CalibratedRows(scored.predicted, state.calibration, spec)
    )
    for metric in spec.metrics:
        yield metric, (by_score if metric in SCORE_METRICS else by_prediction).outcome(metric, errors)


@dataclass(frozen=True, eq=False)
class CalibratedRows:
    """Scored rows with the inputs of some metrics, and their expected counts, each computed once."""

    rows: BinaryRows
    calibration: Calibration
    spec: Spec

    def outcome(self, metric: Metric, errors: SamplingErrors) -> Outcome:
        """Return the estimate of the metric, or why it is undefined."""
        rows = self.rows.rows
        estimate = COMPUTATIONS[metric].estimated
        if estimate is None:
            return undefined(rows, _LABELS_NEEDED)
        if self.insufficiency:
            return undefined(rows, self.insufficiency)
        value = estimate(self)
        if value is None or finite(value) is None:
            return undefined(rows, why_undefined(metric, self.rows))
        return Outcome(value, rows, sampling_error=errors.of(metric, rows), scatter=errors.scatter(metric, rows))

    @cached_property
    def probabilities(self) -> FloatArray:
        """The probability that the label is 1, for each distinct row."""
        return self.calibration(self.rows.scores)

    @cached_property
    def confusion(self) -> BinaryConfusion:
        """The expected confusion matrix; every row has a prediction."""
        return BinaryConfusion.expected(self.rows, self.probabilities)

    @cached_property
    def ranked(self) -> RankedRows:
        """The expected number of rows of each class by score.

        For calibrated scores s, the expected log loss is their mean entropy and the expected Brier score the mean of
        s (1 - s).
        """
        return RankedRows.expected(self.rows, self.probabilities)

    @cached_property
    def true_positives(self) -> FloatArray:
        """The cumulative expected number of rows of class 1, from the highest score down."""
        single = len(self.rows.counts) == self.rows.rows
        by_row = self.probabilities if single else np.repeat(self.probabilities, self.rows.counts)
        return np.cumsum(by_row[::-1])

    @cached_property
    def row_counts(self) -> FloatArray:
        """The cumulative number of rows: 1, 2, 3 and so on."""
        return np.arange(1.0, len(self.true_positives) + 1)

    @cached_property
    def insufficiency(self) -> str | None:
        """Why the rows are too few; None if they suffice."""
        positives = float(np.sum(self.probabilities * self.rows.counts))
        rarer = min(positives, self.rows.rows - positives)
        reason = too_few(self.rows.rows, self.spec.minimum_rows, "scored rows")
        minimum = self.spec.minimum_class_rows
        if reason or rarer >= minimum:
            return reason
        return f"{rarer:.1f} rows expected of the rarer class, fewer than the minimum of {minimum}"
