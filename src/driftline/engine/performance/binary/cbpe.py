"""Estimated performance without labels: confidence-based performance estimation (CBPE). No I/O here.

The calibrated score is taken for the probability that the label will be 1, and each metric is computed as expected
under it. So estimates are blind to concept drift by construction.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from driftline.engine.catalogue import SCORE_METRICS
from driftline.engine.columns import FloatArray, IntArray
from driftline.engine.outcome import Outcome, finite, too_few, undefined
from driftline.engine.performance import calibration
from driftline.engine.performance.binary.confusion import Confusion
from driftline.engine.performance.binary.metrics import COMPUTATIONS, why_undefined
from driftline.engine.performance.binary.ranked import Ranked
from driftline.engine.performance.binary.sampling import SamplingErrors
from driftline.engine.performance.binary.scores import Scores
from driftline.engine.performance.calibration import Calibration
from driftline.engine.results import Metric
from driftline.engine.spec import Spec

_LABELS_NEEDED = "only labels can show it, since an estimate takes the calibrated score for the truth"


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


def outcomes(state: Cbpe, errors: SamplingErrors, summary: Scores, spec: Spec) -> Iterator[tuple[Metric, Outcome]]:
    """Estimate each metric of the spec over all scored rows of a chunk, labelled or not, with its standard error.

    As NannyML 0.13.1 where it has the metric. Metrics of the score need rows with a score, the others rows with a
    prediction too. Fewer than the spec's minimum rows, or rows expected of the rarer class, is insufficient.
    """
    scored = summary.scored
    if state.calibration is None:
        reason = state.reason or "no estimate is possible"
        yield from (
            (m, undefined((scored if m in SCORE_METRICS else scored.predicted).rows, reason)) for m in spec.metrics
        )
        return
    by_score = Expectation(scored, state.calibration, spec)
    by_prediction = by_score if scored.predicted is scored else Expectation(scored.predicted, state.calibration, spec)
    for metric in spec.metrics:
        yield metric, (by_score if metric in SCORE_METRICS else by_prediction).outcome(metric, errors)


@dataclass(frozen=True, eq=False)
class Expectation:
    """Scored rows that have what some metrics need, and what is expected of them, each computed once."""

    rows: Scores
    calibration: Calibration
    spec: Spec

    def outcome(self, metric: Metric, errors: SamplingErrors) -> Outcome:
        """Estimate `metric`, or say why it cannot be."""
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
        """The probability that the label will be 1, for each kind of row."""
        return self.calibration(self.rows.scores)

    @cached_property
    def confusion(self) -> Confusion:
        """How many rows of each outcome are expected; the rows are predicted."""
        return Confusion.expected(self.rows, self.probabilities)

    @cached_property
    def ranked(self) -> Ranked:
        """How many rows of each class are expected by score.

        Where scores are calibrated, the log loss expected of them is their mean entropy, the Brier score the mean of
        s (1 - s).
        """
        return Ranked.expected(self.rows, self.probabilities)

    @cached_property
    def hits(self) -> FloatArray:
        """How many rows of class 1 are expected among the first rows, row by row from the highest score down."""
        single = len(self.rows.counts) == self.rows.rows
        by_row = self.probabilities if single else np.repeat(self.probabilities, self.rows.counts)
        return np.cumsum(by_row[::-1])

    @cached_property
    def claims(self) -> FloatArray:
        """How many rows the first rows are: 1, 2, 3 and so on."""
        return np.arange(1.0, len(self.hits) + 1)

    @cached_property
    def insufficiency(self) -> str | None:
        """Why the rows are not enough to say anything; None where they are."""
        positives = float(np.sum(self.probabilities * self.rows.counts))
        rarer = min(positives, self.rows.rows - positives)
        few = too_few(self.rows.rows, self.spec.minimum_rows, "scored rows")
        least = self.spec.minimum_class_rows
        if few or rarer >= least:
            return few
        return f"{rarer:.1f} rows expected of the rarer class, fewer than the minimum of {least}"
