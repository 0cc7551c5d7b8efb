"""Thresholds that a spec gives itself for a method, in NannyML's terms, instead of its policy's bounds. No I/O here."""

from collections.abc import Sequence
from typing import Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from driftline.engine.results import Bounds


class ConstantThreshold(BaseModel):
    """Bounds that are given, in the unit of the number; None is no bound on that side. As NannyML's of this name."""

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
    """Bounds some population standard deviations of the reference's chunks off their mean or median; None is no bound.

    As NannyML's of this name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    type: Literal["standard_deviation"] = "standard_deviation"
    std_lower_multiplier: float | None = Field(3.0, ge=0)
    std_upper_multiplier: float | None = Field(3.0, ge=0)
    offset_from: Literal["mean", "median"] = "mean"


ThresholdOverride = ConstantThreshold | StandardDeviationThreshold


def own_bounds(threshold: ThresholdOverride, values: Sequence[float]) -> Bounds:
    """Return the bounds of `threshold`, given the values of the reference's chunks, as NannyML 0.13.1 draws them.

    They are in the value's own unit and not yet cut to the method's range. Without values only a constant has bounds.
    The bounds of alert are the same: NannyML knows one threshold.
    """
    centre = _centre(threshold, values) if values else None
    if isinstance(threshold, ConstantThreshold):
        return Bounds(threshold.lower, threshold.upper, threshold.lower, threshold.upper, centre)
    if centre is None:
        return Bounds()
    spread = float(np.std(values))
    lower = None if threshold.std_lower_multiplier is None else centre - spread * threshold.std_lower_multiplier
    upper = None if threshold.std_upper_multiplier is None else centre + spread * threshold.std_upper_multiplier
    return Bounds(lower, upper, lower, upper, centre)


def _centre(threshold: ThresholdOverride, values: Sequence[float]) -> float:
    median = isinstance(threshold, StandardDeviationThreshold) and threshold.offset_from == "median"
    return float(np.median(values) if median else np.mean(values))
