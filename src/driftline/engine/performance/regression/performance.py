"""The performance of a regression model: the state fitted on the reference and the outcomes of a chunk. No I/O here."""

from dataclasses import dataclass
from typing import Any, Self

import pandas as pd

from driftline.engine.performance.deviations import RowDeviations
from driftline.engine.performance.protocol import PerformanceOutcomes
from driftline.engine.performance.regression import dle, realized, sampling
from driftline.engine.performance.regression.dle import Dle
from driftline.engine.performance.regression.loss_summary import LossSum, LossSummary
from driftline.engine.performance.regression.losses import losses, losses_of
from driftline.engine.performance.regression.outputs import Outputs, predictions_of
from driftline.engine.performance.regression.residual_bins import ResidualBins
from driftline.engine.results import ResultKind
from driftline.engine.spec import Spec


@dataclass(frozen=True, slots=True, eq=False)
class RegressionPerformance:
    """The fitted sampling errors and models of losses, and the bins of residuals that evidence is computed from."""

    deviations: RowDeviations
    dle: Dle
    residual_bins: ResidualBins | None = None

    @classmethod
    def fit(cls, frame: pd.DataFrame, spec: Spec) -> Self:
        """Fit on the reference's rows, in time order; without LightGBM there are no estimates."""
        outputs = Outputs.of(frame)
        return cls(sampling.fit(outputs, spec), dle.fit(frame, outputs, spec), ResidualBins.fit(outputs))

    def summarize(self, frame: pd.DataFrame, spec: Spec) -> LossSummary:
        """Sum up the realized and the expected losses of a chunk's rows; raises SchemaMismatch for missing features."""
        return self.summarize_features(frame, spec).join(self.summarize_labels(frame, spec))

    def summarize_labels(self, frame: pd.DataFrame, spec: Spec) -> LossSummary:
        """Sum up the realized losses of a chunk's rows, and count their residuals."""
        outputs = Outputs.of(frame)
        complete = outputs.complete
        sums = {loss: LossSum.of(losses(loss, complete.labels, complete.predictions)) for loss in losses_of(spec)}
        residuals = self.residual_bins.summarize(outputs) if self.residual_bins else None
        return LossSummary(len(frame), int(outputs.labelled.sum()), sums, {}, residuals)

    def summarize_features(self, frame: pd.DataFrame, spec: Spec) -> LossSummary:
        """Sum up the expected losses of a chunk's rows; raises SchemaMismatch for missing features."""
        return LossSummary(len(frame), 0, {}, self.dle.expected(frame, predictions_of(frame), spec))

    def outcomes(self, summary: LossSummary, spec: Spec) -> PerformanceOutcomes:
        """Compute each metric of the spec that there are losses for, realized first, then estimated."""
        for metric in spec.metrics if summary.realized else ():
            yield ResultKind.REALIZED, metric, realized.finish(self.deviations, summary, metric, spec)
        for metric in spec.metrics if summary.expected else ():
            yield ResultKind.ESTIMATED, metric, dle.finish(self.dle, self.deviations, summary, metric, spec)

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON-compatible values."""
        residual_bins = self.residual_bins.to_dict() if self.residual_bins else None
        return {"deviations": self.deviations.to_dict(), "dle": self.dle.to_dict(), "residual_bins": residual_bins}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized; without bins if it was stored before there were any."""
        stored = state.get("residual_bins")
        residual_bins = ResidualBins.from_dict(stored) if stored else None
        return cls(RowDeviations.from_dict(state["deviations"]), Dle.from_dict(state["dle"]), residual_bins)
