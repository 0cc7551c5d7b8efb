"""The bounds of a threshold that a spec sets for a method in place of its policy's bounds. No I/O here."""

from collections.abc import Sequence

import numpy as np

from driftline.engine.results import Bounds
from driftline.engine.threshold_override import ConstantThreshold, StandardDeviationThreshold, ThresholdOverride


def override_bounds(threshold: ThresholdOverride, values: Sequence[float]) -> Bounds:
    """Return the bounds of `threshold`, given the values of the reference's chunks, as NannyML 0.13.1 draws them.

    They are in the value's own unit and not yet cut to the method's range. Without values only a constant has bounds.
    The alert bounds are the same: NannyML has one threshold.
    """
    center = _center(threshold, values) if values else None
    if isinstance(threshold, ConstantThreshold):
        return Bounds(threshold.lower, threshold.upper, threshold.lower, threshold.upper, center)
    if center is None:
        return Bounds()
    spread = float(np.std(values))
    lower = None if threshold.std_lower_multiplier is None else center - spread * threshold.std_lower_multiplier
    upper = None if threshold.std_upper_multiplier is None else center + spread * threshold.std_upper_multiplier
    return Bounds(lower, upper, lower, upper, center)


def _center(threshold: ThresholdOverride, values: Sequence[float]) -> float:
    median = isinstance(threshold, StandardDeviationThreshold) and threshold.offset_from == "median"
    return float(np.median(values) if median else np.mean(values))
