"""What performance of a regression model keeps of the reference, and what it finds in a chunk. No I/O here."""

from dataclasses import dataclass
from typing import Any, Self

import pandas as pd

from driftline.engine.performance.deviations import Deviations
from driftline.engine.performance.protocol import Found
from driftline.engine.performance.regression import dle, realized, sampling
from driftline.engine.performance.regression.dle import Dle
from driftline.engine.performance.regression.losses import losses, losses_of
from driftline.engine.performance.regression.outputs import Outputs
from driftline.engine.performance.regression.totals import Total, Totals
from driftline.engine.results import ResultKind
from driftline.engine.spec import Spec


@dataclass(frozen=True, slots=True, eq=False)
class RegressionPerformance:
    """The spread of each metric, and the models of its loss."""

    deviations: Deviations
    dle: Dle

    @classmethod
    def fit(cls, frame: pd.DataFrame, spec: Spec) -> Self:
        """Fit on the reference's rows, in the order of time; without LightGBM there will be no estimates."""
        outputs = Outputs.of(frame)
        return cls(sampling.fit(outputs, spec), dle.fit(frame, outputs, spec))

    def summarize(self, frame: pd.DataFrame, spec: Spec) -> Totals:
        """Add up the losses of a chunk's rows, known and expected; features that are not there are a SchemaMismatch."""
        outputs = Outputs.of(frame)
        both = outputs.complete
        return Totals(
            rows=len(frame),
            labelled=int(outputs.labelled.sum()),
            known={loss: Total.of(losses(loss, both.labels, both.predictions)) for loss in losses_of(spec)},
            expected=self.dle.expected(frame, outputs, spec),
        )

    def outcomes(self, summary: Totals, spec: Spec) -> Found:
        """Compute each metric of the spec, realized first, then estimated."""
        for metric in spec.metrics:
            yield ResultKind.REALIZED, metric, realized.finish(self.deviations, summary, metric, spec)
        for metric in spec.metrics:
            yield ResultKind.ESTIMATED, metric, dle.finish(self.dle, self.deviations, summary, metric, spec)

    def to_dict(self) -> dict[str, Any]:
        """Return the state as values that JSON has."""
        return {"deviations": self.deviations.to_dict(), "dle": self.dle.to_dict()}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return what `to_dict` was made from."""
        return cls(Deviations.from_dict(state["deviations"]), Dle.from_dict(state["dle"]))
