"""The bounds that each policy draws from the values of the reference's chunks. No I/O here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite, sqrt
from statistics import mean, stdev

from scipy.special import stdtrit

from driftline.engine.catalogue import PERFORMANCE_KINDS, Worse, measure
from driftline.engine.results import Bounds, ResultKind
from driftline.engine.spec import Spec, ThresholdPolicy
from driftline.engine.threshold_override import StandardDeviationThreshold
from driftline.engine.thresholds.comparison import clip, worse_side
from driftline.engine.thresholds.overrides import override_bounds

MINIMUM_REFERENCE_CHUNKS = 4
"""With fewer reference chunks than this, their spread is too uncertain and bounds are constants."""
WARNING_DEVIATIONS = 3.0
"""The distance of warning bounds from the mean of the reference's chunks, in their standard deviations."""
FALSE_ALERTS = 0.002
"""The chance that one undisturbed chunk is beyond any alert bound of its family, shared among the family's numbers."""
MINIMUM_DISTANCE = 1e-9
"""A bound is at least this far from the mean: a smaller difference is rounding noise."""


@dataclass(frozen=True, slots=True)
class ReferenceSpread:
    """Mean and sample standard deviation s of the reference's chunks, from which policy `driftline` draws bounds.

    `far` is the distance from the mean, in standard deviations, at which a single chunk alerts.
    """

    mean: float
    deviation: float
    far: float

    def bounds(self, kind: ResultKind, method: str, sampling_error: float | None = None) -> Bounds:
        """Return the bounds of a value; for performance s is at least the value's sampling error.

        A chunk with few rows or labels varies more than the reference's chunks do, and s of a few chunks may be small
        by chance.
        """
        error = sampling_error if kind in PERFORMANCE_KINDS and sampling_error is not None else 0.0
        deviation = max(self.deviation, error)
        near = max(WARNING_DEVIATIONS * deviation, MINIMUM_DISTANCE)
        far = max(near, self.far * deviation)
        bounds = Bounds(
            lower=clip(method, self.mean - near),
            upper=clip(method, self.mean + near),
            alert_lower=clip(method, self.mean - far),
            alert_upper=clip(method, self.mean + far),
            expected=self.mean,
        )
        return worse_side(method, bounds)


def bounds_for(
    spec: Spec,
    kind: ResultKind,
    method: str,
    reference_values: Sequence[float | None],
    sampling_error: float | None = None,
) -> Bounds:
    """Return the bounds of `method` from its values in the reference's chunks (None where undefined).

    For estimated performance pass the *realized* values of the reference chunks, as NannyML does: the estimate is
    compared with what the model achieved. Bounds are in the value's own unit and within the method's range.

    Policy `driftline`, on the worse side only (performance: lower; drift and missing values: upper): a warning begins
    3 sample standard deviations s from the mean; the alert bound is the wider of that and the one-sided t prediction
    limit of one new chunk, t(k - 1) * s * sqrt(1 + 1/k), at 0.2 % shared (Bonferroni) over the metrics, or over the
    watched columns for drift and missing values. For performance s is at least `sampling_error`, that of the value
    to be bounded, if known. Fewer than 4 defined reference values: the method's `constant_bounds`.

    Policy `nannyml`: the default thresholds of NannyML 0.13.1, mean ± 3 population standard deviations clipped to the
    method's limits; upper only for drift. Its alert is its only threshold, so the alert bounds are the same.

    Under both, the method's `fixed_bounds` precede that, and an override of the method in
    `spec.threshold_overrides` precedes all, cut to the limits that NannyML has.
    """
    values = _defined(reference_values)
    override = spec.threshold_override(method)
    if override is not None:
        return _cut_to_range(method, override_bounds(override, values))
    row = measure(method)
    if row.fixed_bounds is not None:
        return row.fixed_bounds
    if spec.thresholds is ThresholdPolicy.NANNYML:
        return _nannyml_bounds(kind, method, values)
    spread = spread_for(spec, kind, method, values)
    return spread.bounds(kind, method, sampling_error) if spread else row.constant_bounds


def spread_for(
    spec: Spec, kind: ResultKind, method: str, reference_values: Sequence[float | None]
) -> ReferenceSpread | None:
    """Return the spread from which `bounds_for` draws bounds; None where it does not draw them from one."""
    values = _defined(reference_values)
    by_policy = spec.threshold_override(method) is None and measure(method).fixed_bounds is None
    if not by_policy or spec.thresholds is ThresholdPolicy.NANNYML or len(values) < MINIMUM_REFERENCE_CHUNKS:
        return None
    chance = FALSE_ALERTS / _family_size(spec, kind)
    far = _prediction_factor(len(values), chance / 2 if measure(method).worse is Worse.EITHER else chance)
    # statistics.mean and stdev are exact: equal values have themselves as mean and spread 0.
    return ReferenceSpread(mean(values), stdev(values), far)


def bounds_note(spec: Spec, method: str, reference_values: Sequence[float | None]) -> str | None:
    """Return why the bounds of `method` are not drawn as usual, for `Result.reason`; None where they are.

    The text is the same for all methods of a kind with the same number of reference chunks.
    """
    count = len(_defined(reference_values))
    enough = 1 if spec.thresholds is ThresholdPolicy.NANNYML else MINIMUM_REFERENCE_CHUNKS
    fixed = measure(method).fixed_bounds is not None or spec.threshold_override(method) is not None
    if fixed or count >= enough:
        return None
    return (
        f"The reference has {count} usable chunk{'' if count == 1 else 's'}, fewer than {enough}: "
        "bounds are constants, not drawn from its spread; use a longer reference."
    )


def _defined(values: Sequence[float | None]) -> list[float]:
    return [float(value) for value in values if value is not None and isfinite(value)]


def _family_size(spec: Spec, kind: ResultKind) -> int:
    return max(1, len(spec.metrics) if kind in PERFORMANCE_KINDS else len(spec.watched))


def _prediction_factor(chunks: int, chance: float) -> float:
    """Return how many sample standard deviations above the mean of `chunks` values the next one is with `chance`."""
    return -float(stdtrit(chunks - 1, chance)) * sqrt(1 + 1 / chunks)


def _nannyml_bounds(kind: ResultKind, method: str, values: list[float]) -> Bounds:
    if not values:
        return Bounds()
    bounds = override_bounds(StandardDeviationThreshold(), values)
    if kind is ResultKind.DRIFT:
        bounds = replace(bounds, lower=None, alert_lower=None)
    return _cut_to_range(method, bounds)


def _cut_to_range(method: str, bounds: Bounds) -> Bounds:
    """Cut bounds as NannyML does for `method`; the alert bounds become the warning bounds."""
    row = measure(method)
    lowest, highest = row.range
    lower = None if bounds.lower is None else max(bounds.lower, lowest)
    if lower == lowest and not row.bound_at_zero:
        lower = None
    upper = bounds.upper if bounds.upper is None or not row.capped else min(bounds.upper, highest)
    return replace(bounds, lower=lower, upper=upper, alert_lower=lower, alert_upper=upper)
