"""Thresholds that a spec sets for a method in place of its policy's bounds, in NannyML's terms. No I/O here."""

from collections.abc import Sequence
from typing import Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from driftline.engine.results import Bounds


class ConstantThreshold(BaseModel):
    """Constant bounds in the unit of the number; None is no bound on that side. As NannyML's class of this name."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    type: Literal["constant"] = "constant"
    lower: float | None = None
    upper: float | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.lower is not None and self.upper is not None and self.lower >= self.upper:
            msg = f"the lower threshold {self.lower:g} must be less than the upper one, {self.upper:g}"
            raise ValueError(msg)
        return self


class StandardDeviationThreshold(BaseModel):
    """Bounds at a distance from the mean or median of the reference's chunks; None is no bound on that side.

    The distance is a multiple of their population standard deviation. As NannyML's class of this name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    type: Literal["standard_deviation"] = "standard_deviation"
    std_lower_multiplier: float | None = Field(3.0, ge=0)
    std_upper_multiplier: float | None = Field(3.0, ge=0)
    offset_from: Literal["mean", "median"] = "mean"


ThresholdOverride = ConstantThreshold | StandardDeviationThreshold


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
