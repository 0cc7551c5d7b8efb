"""Estimated performance without labels: direct loss estimation (DLE). No I/O here.

A model of the loss, fitted on the reference, predicts the loss of each prediction; a metric is the mean of these. By
construction, estimates cannot see concept drift.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from driftline.engine.frames.columns import FloatArray
from driftline.engine.outcome import Outcome, undefined
from driftline.engine.performance.deviations import RowDeviations
from driftline.engine.performance.regression import loss_model
from driftline.engine.performance.regression.features import FeatureEncoding
from driftline.engine.performance.regression.loss_model import LossModel
from driftline.engine.performance.regression.loss_summary import LossSum, LossSummary
from driftline.engine.performance.regression.losses import LOSS_OF, UNDEFINED, Loss, losses, losses_of
from driftline.engine.performance.regression.outputs import Outputs
from driftline.engine.performance.regression.realized import metric_outcome
from driftline.engine.results import Metric
from driftline.engine.spec import Spec
from driftline.engine.sums.exact_sum import ExactSum
from driftline.errors import MissingLibrary

MINIMUM_ROWS = 40
"""With fewer rows LightGBM cannot split even once (20 rows per leaf)."""
MAXIMUM_LOSS = 1e37
"""LightGBM reads losses as 32-bit floats, which cannot represent much larger ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Dle:
    """The fitted state: the encoding of features and, for each loss, a model or the reason why there is none."""

    encoding: FeatureEncoding
    models: Mapping[Loss, LossModel]
    reasons: Mapping[Loss, str]

    def expected(self, frame: pd.DataFrame, predictions: FloatArray, spec: Spec) -> dict[Loss, LossSum]:
        """Sum up the expected losses of the rows with a prediction; for a loss without a model, count the rows."""
        features = self.encoding(frame, spec)[~np.isnan(predictions)]
        return {loss: self._sum(loss, features) for loss in losses_of(spec)}

    def _sum(self, loss: Loss, features: FloatArray) -> LossSum:
        model = self.models.get(loss)
        if model is None:
            return LossSum(0, ExactSum(), len(features))
        expected = model(features)
        if loss is Loss.SQUARED_LOG:
            expected = np.where(features[:, -1] < 0, np.nan, expected)
        return LossSum.of(expected)

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON-compatible values, models as LightGBM's text."""
        return {
            "encoding": self.encoding.to_dict(),
            "models": {loss.value: model.text for loss, model in self.models.items()},
            "reasons": {loss.value: reason for loss, reason in self.reasons.items()},
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        return cls(
            FeatureEncoding.from_dict(state["encoding"]),
            {Loss(name): LossModel(text) for name, text in state["models"].items()},
            {Loss(name): reason for name, reason in state["reasons"].items()},
        )


def fit(frame: pd.DataFrame, outputs: Outputs, spec: Spec) -> Dle:
    """Fit a model of each loss that the spec's metrics need, on the reference's rows with a label and a prediction.

    Rows are in time order. As NannyML 0.13.1 without tuning: LightGBM's defaults on the spec's features, in its order,
    and the prediction. There is no model for a loss that is undefined or above 1e37 in some row, with fewer than 40
    rows, or without LightGBM; estimates then state that as their reason.
    """
    encoding = FeatureEncoding.fit(frame, spec)
    features = encoding(frame, spec)[outputs.predicted & outputs.labelled]
    models: dict[Loss, LossModel] = {}
    reasons: dict[Loss, str] = {}
    for loss in losses_of(spec):
        training_losses = losses(loss, outputs.complete.labels, outputs.complete.predictions)
        reason = _why_no_model(loss, training_losses)
        if reason:
            reasons[loss] = reason
            continue
        try:
            models[loss] = loss_model.fit(features, training_losses, encoding.categorical(spec))
        except MissingLibrary as error:
            reasons[loss] = f"{error.message}, and fit the reference again"
    return Dle(encoding, models, reasons)


def _why_no_model(loss: Loss, training_losses: FloatArray) -> str | None:
    """Return why no model can be fitted to these losses (NaN if undefined); None if one can."""
    rows = len(training_losses)
    undefined_rows, large_rows = int(np.isnan(training_losses).sum()), int((training_losses > MAXIMUM_LOSS).sum())
    if undefined_rows:
        return f"{undefined_rows} of {rows} labelled rows of the reference have {UNDEFINED[loss]}"
    if large_rows:
        return f"{large_rows} of {rows} labelled rows of the reference have a loss above {MAXIMUM_LOSS:g}"
    if rows >= MINIMUM_ROWS:
        return None
    return f"the reference has {rows} labelled rows with a prediction, fewer than the minimum of {MINIMUM_ROWS}"


def finish(state: Dle, errors: RowDeviations, summary: LossSummary, metric: Metric, spec: Spec) -> Outcome:
    """Estimate `metric` over all rows of a chunk with a prediction, labelled or not, with its standard error.

    The state is insufficient with fewer rows than the spec's minimum, and for the squared logarithmic error of negative
    predictions.
    """
    loss = LOSS_OF[metric]
    expected = summary.expected[loss]
    if loss not in state.models:
        return undefined(expected.undefined, state.reasons.get(loss, "the reference was not fitted for this metric"))
    return metric_outcome(errors, expected, metric, spec, "rows with a prediction")
