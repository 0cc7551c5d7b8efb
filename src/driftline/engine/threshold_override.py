"""Thresholds that a spec sets for a method in place of its policy's bounds, in NannyML's terms. No I/O here."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class ConstantThreshold(BaseModel):
    """Constant bounds in the unit of the number; None is not a bound on that side. As NannyML's class of this name."""

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
    """Bounds at a distance from the mean or median of the reference's chunks; None is not a bound on that side.

    The distance is a multiple of their population standard deviation. As NannyML's class of this name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    type: Literal["standard_deviation"] = "standard_deviation"
    std_lower_multiplier: float | None = Field(3.0, ge=0)
    std_upper_multiplier: float | None = Field(3.0, ge=0)
    offset_from: Literal["mean", "median"] = "mean"


ThresholdOverride = ConstantThreshold | StandardDeviationThreshold
