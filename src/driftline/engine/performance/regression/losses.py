"""The losses of single predictions, of which the regression metrics are means. No I/O here."""

from enum import StrEnum

import numpy as np

from driftline.engine.frames.columns import LARGEST, FloatArray
from driftline.engine.results import Metric
from driftline.engine.spec import Spec


class Loss(StrEnum):
    """The loss of one row, of which a metric is the mean or the root of the mean."""

    ABSOLUTE = "absolute"
    PERCENTAGE = "percentage"
    SQUARED = "squared"
    SQUARED_LOG = "squared_log"


LOSS_OF: dict[Metric, Loss] = {
    Metric.MAE: Loss.ABSOLUTE,
    Metric.MAPE: Loss.PERCENTAGE,
    Metric.MSE: Loss.SQUARED,
    Metric.RMSE: Loss.SQUARED,
    Metric.MSLE: Loss.SQUARED_LOG,
    Metric.RMSLE: Loss.SQUARED_LOG,
}
MAXIMUM_LOSS = 4 * LARGEST**2
"""The squared error of the largest valid label and prediction; a larger percentage is one of a label of almost 0."""
ROOTS = frozenset({Metric.RMSE, Metric.RMSLE})
"""The metrics that are the square root of a mean loss."""
UNDEFINED: dict[Loss, str] = {
    Loss.ABSOLUTE: "no finite loss",
    Loss.PERCENTAGE: "a label of 0 or almost 0, for which a percentage error is undefined",
    Loss.SQUARED: "no finite loss",
    Loss.SQUARED_LOG: "a label or a prediction below 0, for which the logarithm is undefined",
}
"""What rows with an undefined loss have, in words."""


def losses_of(spec: Spec) -> tuple[Loss, ...]:
    """Return the losses that the spec's metrics need, each once."""
    return tuple(dict.fromkeys(LOSS_OF[metric] for metric in spec.metrics))


def losses(loss: Loss, labels: FloatArray, predictions: FloatArray) -> FloatArray:
    """Return the loss of each row with a finite label and prediction; NaN if it is undefined.

    Percentages are fractions of the label's absolute value: 0.5 is half of it.
    """
    with np.errstate(all="ignore"):
        raw = _raw(loss, labels, predictions)
    return np.where(raw <= MAXIMUM_LOSS, raw, np.nan)


def _raw(loss: Loss, labels: FloatArray, predictions: FloatArray) -> FloatArray:
    if loss is Loss.SQUARED_LOG:
        negative = (labels < 0) | (predictions < 0)
        return np.where(negative, np.nan, np.square(np.log1p(labels) - np.log1p(predictions)))
    error = labels - predictions
    if loss is Loss.SQUARED:
        return np.square(error)
    return np.abs(error) if loss is Loss.ABSOLUTE else np.abs(error) / np.abs(labels)


def metric_of(metric: Metric, mean_loss: float) -> float:
    """Return the metric whose loss has this mean."""
    return float(np.sqrt(mean_loss)) if metric in ROOTS else mean_loss
