"""The performance of a multiclass model: the state fitted on the reference and the outcomes of a chunk. No I/O here."""

from dataclasses import dataclass
from typing import Any, Self

import pandas as pd

from driftline.engine.outcome import undefined
from driftline.engine.performance.deviations import RowDeviations
from driftline.engine.performance.multiclass import cbpe, realized, sampling
from driftline.engine.performance.multiclass.cbpe import MulticlassCbpe
from driftline.engine.performance.multiclass.metrics import all_undefined
from driftline.engine.performance.multiclass.rows import MulticlassRows, describe_unknown_classes
from driftline.engine.performance.protocol import PerformanceOutcomes
from driftline.engine.results import ResultKind
from driftline.engine.spec import Spec


@dataclass(frozen=True, slots=True, eq=False)
class MulticlassPerformance:
    """The fitted sampling errors, and the calibration of each class."""

    deviations: RowDeviations
    cbpe: MulticlassCbpe

    @classmethod
    def fit(cls, frame: pd.DataFrame, spec: Spec) -> Self:
        """Fit on the reference's rows, in time order."""
        rows = MulticlassRows.read(frame, spec)
        return cls(sampling.fit(rows, spec), cbpe.fit(rows, spec))

    def summarize(self, frame: pd.DataFrame, spec: Spec) -> MulticlassRows:
        """Count the rows of a chunk by scores, prediction and label."""
        return MulticlassRows.of(frame, spec)

    def summarize_labels(self, frame: pd.DataFrame, spec: Spec) -> MulticlassRows:
        """Count the rows of a chunk; no feature is needed."""
        return self.summarize(frame, spec)

    def summarize_features(self, frame: pd.DataFrame, spec: Spec) -> None:
        """Return None: nothing depends on features."""

    def outcomes(self, summary: MulticlassRows, spec: Spec) -> PerformanceOutcomes:
        """Compute each metric of the spec, realized first, then estimated.

        All metrics are undefined for a chunk with a class that the spec does not list.
        """
        if summary.unknown_classes:
            outcome = undefined(summary.rows, describe_unknown_classes(summary.unknown_classes))
            for kind in (ResultKind.REALIZED, ResultKind.ESTIMATED):
                for metric in spec.metrics:
                    yield from ((kind, name, result) for name, result in all_undefined(metric, spec, outcome))
            return
        for method, outcome in realized.outcomes(self.deviations, summary, spec):
            yield ResultKind.REALIZED, method, outcome
        for method, outcome in cbpe.outcomes(self.cbpe, self.deviations, summary, spec):
            yield ResultKind.ESTIMATED, method, outcome

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON-compatible values."""
        return {"deviations": self.deviations.to_dict(), "cbpe": self.cbpe.to_dict()}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        return cls(RowDeviations.from_dict(state["deviations"]), MulticlassCbpe.from_dict(state["cbpe"]))
