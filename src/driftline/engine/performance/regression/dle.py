"""Estimated performance without labels: direct loss estimation (DLE). No I/O here.

A model of the loss itself, fitted on the reference, says what each prediction probably costs; a metric is the mean of
that. So estimates are blind to concept drift by construction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from driftline.engine.columns import FloatArray
from driftline.engine.outcome import Outcome, undefined
from driftline.engine.performance.deviations import Deviations
from driftline.engine.performance.regression import loss_model
from driftline.engine.performance.regression.features import Encoding
from driftline.engine.performance.regression.loss_model import LossModel
from driftline.engine.performance.regression.losses import LOSS_OF, UNDEFINED, Loss, losses, losses_of
from driftline.engine.performance.regression.outputs import Outputs
from driftline.engine.performance.regression.realized import measured
from driftline.engine.performance.regression.totals import Total, Totals
from driftline.engine.results import Metric
from driftline.engine.spec import Spec
from driftline.errors import MissingLibrary

LEAST_ROWS = 40
"""Below this many rows LightGBM cannot split even once (20 rows a leaf): there is nothing to learn from."""
MOST_LEARNT = 1e37
"""LightGBM reads losses as floats of 32 bits; in a larger one it has no number."""


@dataclass(frozen=True, slots=True, eq=False)
class Dle:
    """What the reference says about losses: its features' categories, and by loss a model or why there is none."""

    encoding: Encoding
    models: Mapping[Loss, LossModel]
    reasons: Mapping[Loss, str]

    def expected(self, frame: pd.DataFrame, outputs: Outputs, spec: Spec) -> dict[Loss, Total]:
        """Add up the expected losses of the rows with a prediction; of a loss without a model, count the rows."""
        predicted = outputs.predicted
        features = self.encoding(frame, spec)[predicted]
        return {loss: self._total(loss, features) for loss in losses_of(spec)}

    def _total(self, loss: Loss, features: FloatArray) -> Total:
        model = self.models.get(loss)
        if model is None:
            return Total(0, 0.0, len(features))
        found = model(features)
        if loss is Loss.SQUARED_LOG:
            found = np.where(features[:, -1] < 0, np.nan, found)
        return Total.of(found)

    def to_dict(self) -> dict[str, Any]:
        """Return the state as values that JSON has; models as LightGBM's text."""
        return {
            "encoding": self.encoding.to_dict(),
            "models": {loss.value: model.text for loss, model in self.models.items()},
            "reasons": {loss.value: reason for loss, reason in self.reasons.items()},
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return what `to_dict` was made from."""
        return cls(
            Encoding.from_dict(state["encoding"]),
            {Loss(name): LossModel(text) for name, text in state["models"].items()},
            {Loss(name): reason for name, reason in state["reasons"].items()},
        )


def fit(frame: pd.DataFrame, outputs: Outputs, spec: Spec) -> Dle:
    """Fit a model of each loss that the spec's metrics need, on the reference's rows with a label and a prediction.

    The rows come in the order of time. As NannyML 0.13.1 without tuning: LightGBM's defaults on the spec's features, in
    its order, and the prediction. A loss that some rows lack, or that is above 1e37 in some, gives no model; neither
    do fewer than 40 rows, nor any where LightGBM is not installed. Estimates then have that as their reason.
    """
    encoding = Encoding.fit(frame, spec)
    features = encoding(frame, spec)[outputs.predicted & outputs.labelled]
    models: dict[Loss, LossModel] = {}
    reasons: dict[Loss, str] = {}
    for loss in losses_of(spec):
        found = losses(loss, outputs.complete.labels, outputs.complete.predictions)
        reason = _why_none(loss, found)
        if reason:
            reasons[loss] = reason
            continue
        try:
            models[loss] = loss_model.fit(features, found, encoding.categorical(spec))
        except MissingLibrary as error:
            reasons[loss] = f"{error.message}, and fit the reference again"
    return Dle(encoding, models, reasons)


def _why_none(loss: Loss, found: FloatArray) -> str | None:
    """Say why no model can be learnt of these losses, NaN where one is undefined; None where one can."""
    undefined_rows, large_rows = int(np.isnan(found).sum()), int((found > MOST_LEARNT).sum())
    if undefined_rows:
        return f"{undefined_rows} of {len(found)} labelled rows of the reference have {UNDEFINED[loss]}"
    if large_rows:
        return f"{large_rows} of {len(found)} labelled rows of the reference have a loss above {MOST_LEARNT:g}"
    if len(found) >= LEAST_ROWS:
        return None
    return f"the reference has {len(found)} labelled rows with a prediction, fewer than the {LEAST_ROWS} to learn from"


def finish(state: Dle, errors: Deviations, summary: Totals, metric: Metric, spec: Spec) -> Outcome:
    """Estimate `metric` over all rows of a chunk with a prediction, labelled or not, with its standard error.

    Fewer than the spec's minimum rows is insufficient, and so is a squared logarithmic error of negative predictions.
    """
    loss = LOSS_OF[metric]
    found = summary.expected[loss]
    if loss not in state.models:
        return undefined(found.undefined, state.reasons.get(loss, "the reference was not fitted for this metric"))
    return measured(errors, found, metric, spec, "rows with a prediction")
