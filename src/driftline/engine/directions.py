"""On which side a number gets worse. No I/O here."""

from enum import StrEnum
from functools import cache

from driftline.engine.results import Bounds, Method, Metric, Quality, ResultKind


class Worse(StrEnum):
    """The side on which a number gets worse."""

    LOWER = "lower"
    HIGHER = "higher"
    EITHER = "either"
    NEITHER = "neither"


PERFORMANCE = frozenset({ResultKind.REALIZED, ResultKind.ESTIMATED})

_LOSSES = frozenset(
    {
        Metric.LOG_LOSS,
        Metric.BRIER,
        Metric.CALIBRATION_ERROR,
        Metric.MAE,
        Metric.MAPE,
        Metric.MSE,
        Metric.RMSE,
        Metric.MSLE,
        Metric.RMSLE,
    }
)
_COUNTS = frozenset(
    {
        Metric.TRUE_POSITIVES,
        Metric.FALSE_POSITIVES,
        Metric.TRUE_NEGATIVES,
        Metric.FALSE_NEGATIVES,
        Metric.CONFUSION_MATRIX,
    }
)
_TWO_SIDED = frozenset({Method.PCA_RECONSTRUCTION, Quality.ROW_COUNT})


def base(method: str) -> str:
    """Return the method of one of several numbers: `quantiles` of `quantiles:0.25`."""
    return method.partition(":")[0]


@cache
def worse(kind: ResultKind, method: str) -> Worse:
    """Say on which side `method` gets worse: performance below, losses, drift and faults above, statistics on both.

    Cells of a confusion matrix get worse on neither: they follow the number of rows.
    """
    name = base(method)
    if kind in PERFORMANCE:
        return Worse.HIGHER if name in _LOSSES else Worse.NEITHER if name in _COUNTS else Worse.LOWER
    return Worse.EITHER if kind is ResultKind.STATISTIC or name in _TWO_SIDED else Worse.HIGHER


def worse_side(kind: ResultKind, method: str, bounds: Bounds) -> Bounds:
    """Keep only the bounds on the side where the number gets worse."""
    side = worse(kind, method)
    low, high = side in {Worse.LOWER, Worse.EITHER}, side in {Worse.HIGHER, Worse.EITHER}
    return Bounds(
        lower=bounds.lower if low else None,
        upper=bounds.upper if high else None,
        alert_lower=bounds.alert_lower if low else None,
        alert_upper=bounds.alert_upper if high else None,
        expected=bounds.expected,
    )
