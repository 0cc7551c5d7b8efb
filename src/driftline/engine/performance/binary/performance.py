"""The performance of a binary model: the state fitted on the reference and the outcomes of a chunk. No I/O here."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd

from driftline.engine.catalogue import SCORE_METRICS
from driftline.engine.frames.columns import as_floats
from driftline.engine.outcome import Outcome
from driftline.engine.performance.binary import cbpe, realized, sampling
from driftline.engine.performance.binary.bounded import BoundedRows
from driftline.engine.performance.binary.cbpe import BinaryCbpe
from driftline.engine.performance.binary.rows import BinaryRows, zeros_and_ones
from driftline.engine.performance.binary.sampling import SamplingErrors
from driftline.engine.performance.protocol import PerformanceOutcomes
from driftline.engine.performance.scores import are_probabilities, not_probabilities
from driftline.engine.results import LABEL, PREDICTION, SCORE, Metric, ResultKind
from driftline.engine.spec import Spec


@dataclass(frozen=True, slots=True, eq=False)
class BinaryPerformance:
    """The fitted sampling errors and calibration."""

    sampling: SamplingErrors
    cbpe: BinaryCbpe

    @classmethod
    def fit(cls, frame: pd.DataFrame, spec: Spec) -> Self:
        """Fit on the reference's rows, in time order; predictions and labels as for `BinaryRows.of`."""
        scores = as_floats(frame[SCORE])
        predictions, labels = (zeros_and_ones(frame[name]) for name in (PREDICTION, LABEL))
        usable = np.isfinite(scores) & np.isfinite(labels)
        return cls(
            sampling=sampling.fit(scores, predictions, labels, spec),
            cbpe=cbpe.fit(scores[usable], labels[usable].astype(np.int64)),
        )

    def summarize(self, frame: pd.DataFrame, spec: Spec) -> BinaryRows:
        """Count the rows of a chunk by score, prediction and label."""
        return BinaryRows.of(frame)

    def summarize_labels(self, frame: pd.DataFrame, spec: Spec) -> BinaryRows:
        """Count the rows of a chunk; no feature is needed."""
        return self.summarize(frame, spec)

    def summarize_features(self, frame: pd.DataFrame, spec: Spec) -> None:
        """Return None: nothing depends on features."""

    def outcomes(self, summary: BinaryRows | BoundedRows, spec: Spec) -> PerformanceOutcomes:
        """Compute each metric of the spec, realized first, then estimated; outcomes of pooled scores have a note."""
        if isinstance(summary, BoundedRows):
            for kind, metric, outcome in self.outcomes(summary.rows, spec):
                yield kind, metric, replace(outcome, reason=outcome.reason or summary.note(kind, Metric(metric)))
            return
        note = self._note(summary)
        for metric, outcome in realized.outcomes(self.sampling, summary, spec):
            of_score = metric in SCORE_METRICS
            coverage_note = _coverage_note(summary.labelled, spec, "score" if of_score else "prediction")
            notes = "; ".join(
                filter(None, (note if of_score else None, coverage_note if outcome.value is not None else None))
            )
            yield ResultKind.REALIZED, metric, _with_note(outcome, notes or None)
        for metric, outcome in cbpe.outcomes(self.cbpe, self.sampling, summary, spec):
            yield ResultKind.ESTIMATED, metric, _with_note(outcome, note)

    def _note(self, summary: BinaryRows) -> str | None:
        """Return a note on scores outside 0 to 1, if the reference has none of them."""
        scored = summary.scored
        curve = self.cbpe.calibration
        if are_probabilities(scored.scores) or (curve is not None and not are_probabilities(curve.scores)):
            return None
        outside = int(scored.counts[np.isin(scored.scores, not_probabilities(scored.scores))].sum())
        return (
            f"{outside:,} of {scored.rows:,} scores are outside 0 to 1 (they go from {scored.scores[0]:.4g} to "
            f"{scored.scores[-1]:.4g}), unlike the reference's: they are not probabilities."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON-compatible values."""
        return {"sampling": self.sampling.to_dict(), "cbpe": self.cbpe.to_dict()}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        return cls(SamplingErrors.from_dict(state["sampling"]), BinaryCbpe.from_dict(state["cbpe"]))


def _coverage_note(labelled: BinaryRows, spec: Spec, output: str) -> str | None:
    """Return a note if the share of labelled rows with a score, or a prediction, is below the label coverage."""
    rows = (labelled.scored if output == "score" else labelled.predicted).rows
    if rows >= spec.label_coverage * labelled.rows:
        return None
    return f"Only {rows:,} labelled rows of {labelled.rows:,} have a {output}."


def _with_note(outcome: Outcome, note: str | None) -> Outcome:
    """Return the outcome with a note appended to its reason."""
    return replace(outcome, reason="; ".join(filter(None, (outcome.reason, note)))) if note else outcome
