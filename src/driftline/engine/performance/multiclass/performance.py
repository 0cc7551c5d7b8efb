"""What performance of a multiclass model keeps of the reference, and what it finds in a chunk. No I/O here."""

from dataclasses import dataclass
from typing import Any, Self

import pandas as pd

from driftline.engine.outcome import undefined
from driftline.engine.performance.deviations import Deviations
from driftline.engine.performance.multiclass import cbpe, realized, sampling
from driftline.engine.performance.multiclass.cbpe import Cbpe
from driftline.engine.performance.multiclass.measure import all_undefined
from driftline.engine.performance.multiclass.rows import Rows, strangeness
from driftline.engine.performance.protocol import Found
from driftline.engine.results import ResultKind
from driftline.engine.spec import Spec


@dataclass(frozen=True, slots=True, eq=False)
class MulticlassPerformance:
    """The spread of each metric, and for each class the curve from score to probability."""

    deviations: Deviations
    cbpe: Cbpe

    @classmethod
    def fit(cls, frame: pd.DataFrame, spec: Spec) -> Self:
        """Fit on the reference's rows, in the order of time."""
        rows = Rows.read(frame, spec)
        return cls(sampling.fit(rows, spec), cbpe.fit(rows, spec))

    def summarize(self, frame: pd.DataFrame, spec: Spec) -> Rows:
        """Count the rows of a chunk by scores, prediction and label."""
        return Rows.of(frame, spec)

    def outcomes(self, summary: Rows, spec: Spec) -> Found:
        """Compute each metric of the spec, realized first, then estimated.

        A chunk with a class that the spec does not know has none: its rows are right under no class that there is.
        """
        if summary.strange:
            why = undefined(summary.rows, strangeness(summary.strange))
            for kind in (ResultKind.REALIZED, ResultKind.ESTIMATED):
                for metric in spec.metrics:
                    yield from ((kind, method, outcome) for method, outcome in all_undefined(metric, spec, why))
            return
        for method, outcome in realized.outcomes(self.deviations, summary, spec):
            yield ResultKind.REALIZED, method, outcome
        for method, outcome in cbpe.outcomes(self.cbpe, self.deviations, summary, spec):
            yield ResultKind.ESTIMATED, method, outcome

    def to_dict(self) -> dict[str, Any]:
        """Return the state as values that JSON has."""
        return {"deviations": self.deviations.to_dict(), "cbpe": self.cbpe.to_dict()}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return what `to_dict` was made from."""
        return cls(Deviations.from_dict(state["deviations"]), Cbpe.from_dict(state["cbpe"]))
