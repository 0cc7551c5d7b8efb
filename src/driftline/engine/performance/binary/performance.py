"""What performance of a binary model keeps of the reference, and what it finds in a chunk. No I/O here."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd

from driftline.engine.columns import as_floats
from driftline.engine.performance.binary import cbpe, realized, sampling
from driftline.engine.performance.binary.bounded import Bounded
from driftline.engine.performance.binary.cbpe import Cbpe
from driftline.engine.performance.binary.sampling import SamplingErrors
from driftline.engine.performance.binary.scores import Scores, zeros_and_ones
from driftline.engine.performance.protocol import Found
from driftline.engine.results import LABEL, PREDICTION, SCORE, Metric, ResultKind
from driftline.engine.spec import Spec


@dataclass(frozen=True, slots=True, eq=False)
class BinaryPerformance:
    """The spread of each metric, and the curve from score to probability."""

    sampling: SamplingErrors
    cbpe: Cbpe

    @classmethod
    def fit(cls, frame: pd.DataFrame, spec: Spec) -> Self:
        """Fit on the reference's rows, in the order of time; predictions and labels as `Scores.of` has them."""
        scores = as_floats(frame[SCORE])
        predictions, labels = (zeros_and_ones(frame[name]) for name in (PREDICTION, LABEL))
        known = np.isfinite(scores) & np.isfinite(labels)
        return cls(
            sampling=sampling.fit(scores, predictions, labels, spec),
            cbpe=cbpe.fit(scores[known], labels[known].astype(np.int64)),
        )

    def summarize(self, frame: pd.DataFrame, spec: Spec) -> Scores:
        """Count the rows of a chunk by score, prediction and label."""
        return Scores.of(frame)

    def outcomes(self, summary: Scores | Bounded, spec: Spec) -> Found:
        """Compute each metric of the spec, realized first, then estimated; those of pooled scores say so."""
        if isinstance(summary, Bounded):
            for kind, metric, outcome in self.outcomes(summary.scores, spec):
                yield kind, metric, replace(outcome, reason=outcome.reason or summary.note(kind, Metric(metric)))
            return
        for metric, outcome in realized.outcomes(self.sampling, summary, spec):
            yield ResultKind.REALIZED, metric, outcome
        for metric, outcome in cbpe.outcomes(self.cbpe, self.sampling, summary, spec):
            yield ResultKind.ESTIMATED, metric, outcome

    def to_dict(self) -> dict[str, Any]:
        """Return the state as values that JSON has."""
        return {"sampling": self.sampling.to_dict(), "cbpe": self.cbpe.to_dict()}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return what `to_dict` was made from."""
        return cls(SamplingErrors.from_dict(state["sampling"]), Cbpe.from_dict(state["cbpe"]))
