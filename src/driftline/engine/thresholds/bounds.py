"""Bounds that results are held against, by policy, from the values of the reference's own chunks. No I/O here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite, sqrt
from statistics import mean, stdev

from scipy.special import stdtrit

from driftline.engine.catalogue import PERFORMANCE, Worse, measure
from driftline.engine.results import Bounds, ResultKind, State
from driftline.engine.spec import Spec, ThresholdPolicy
from driftline.engine.thresholds.overrides import StandardDeviationThreshold, own_bounds

MINIMUM_REFERENCE_CHUNKS = 4
"""With fewer reference chunks than this their spread says too little: bounds are constants."""
SPREADS = 3.0
"""How many standard deviations of the reference chunks a value may lie off their mean."""
FALSE_ALERTS = 0.002
"""The chance that one undisturbed chunk is beyond any alert bound of its family, shared among the family's numbers."""
P_VALUE_LEVEL = 0.05
"""The p-value below which a test says that something changed; over columns it is the false discovery rate."""
LEAST_SPREAD = 1e-9
"""A bound stays at least this far from the mean: nearer is the noise of adding floats in another order."""


@dataclass(frozen=True, slots=True)
class Spread:
    """What policy `driftline` draws bounds from: mean and sample standard deviation s of the reference's chunks.

    `far` is how many standard deviations off the mean a single chunk alerts.
    """

    mean: float
    deviation: float
    far: float

    def bounds(self, kind: ResultKind, method: str, sampling_error: float | None = None) -> Bounds:
        """Return the bounds of a value; for performance s is no less than the value's own sampling error.

        A chunk with few rows, or labels, scatters more than the reference's chunks do, and s of a few chunks may be
        small by chance.
        """
        known = sampling_error if kind in PERFORMANCE and sampling_error is not None else 0.0
        deviation = max(self.deviation, known)
        near = max(SPREADS * deviation, LEAST_SPREAD)
        far = max(near, self.far * deviation)
        bounds = Bounds(
            lower=clipped(method, self.mean - near),
            upper=clipped(method, self.mean + near),
            alert_lower=clipped(method, self.mean - far),
            alert_upper=clipped(method, self.mean + far),
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
    """Bound the values of `method`, given those of the reference's own chunks (None where undefined).

    For estimated performance pass the *realized* values of the reference chunks, as NannyML does: the estimate is
    held against what the model really did. Bounds are in the value's own unit and within the method's range.

    Policy `driftline`, on the worse side only (performance: lower; drift and missing values: upper): a warning begins
    3 sample standard deviations s off the mean; the alert bound is the wider of that and the one-sided t prediction
    limit of one new chunk, t(k - 1) * s * sqrt(1 + 1/k), at 0.2 % shared (Bonferroni) over the metrics, or over the
    watched columns for drift and missing values. For performance s is no less than `sampling_error`, that of the value
    which is to be bounded, where it is known. Fewer than 4 defined reference values: the method's `constant_bounds`.

    Policy `nannyml`: the default thresholds of NannyML 0.13.1, mean ± 3 population standard deviations clipped to the
    method's limits; upper only for drift. Its alert is its only threshold, so the alert bounds are the same.

    Under both, the method's `fixed_bounds` precede that, and an override of the method in
    `spec.threshold_overrides` precedes all, cut to the limits that NannyML has.
    """
    values = _defined(reference_values)
    own = spec.threshold_override(method)
    if own is not None:
        return _within_limits(method, own_bounds(own, values))
    row = measure(method)
    if row.fixed_bounds is not None:
        return row.fixed_bounds
    if spec.thresholds is ThresholdPolicy.NANNYML:
        return _nannyml_bounds(kind, method, values)
    spread = spread_for(spec, kind, method, values)
    return spread.bounds(kind, method, sampling_error) if spread else row.constant_bounds


def spread_for(spec: Spec, kind: ResultKind, method: str, reference_values: Sequence[float | None]) -> Spread | None:
    """Return what `bounds_for` draws bounds from, given the same; None where they do not come from a spread."""
    values = _defined(reference_values)
    by_policy = spec.threshold_override(method) is None and measure(method).fixed_bounds is None
    if not by_policy or spec.thresholds is ThresholdPolicy.NANNYML or len(values) < MINIMUM_REFERENCE_CHUNKS:
        return None
    chance = FALSE_ALERTS / _family_size(spec, kind)
    far = _prediction_factor(len(values), chance / 2 if measure(method).worse is Worse.EITHER else chance)
    # statistics.mean and stdev are exact: equal values have themselves as mean and spread 0.
    return Spread(mean(values), stdev(values), far)


def bounds_note(spec: Spec, method: str, reference_values: Sequence[float | None]) -> str | None:
    """Say in plain words what limits the bounds of `method`, for `Result.reason`; None where nothing does.

    The text is the same for all methods of a kind with the same number of reference chunks.
    """
    count = len(_defined(reference_values))
    enough = 1 if spec.thresholds is ThresholdPolicy.NANNYML else MINIMUM_REFERENCE_CHUNKS
    fixed = measure(method).fixed_bounds is not None or spec.threshold_override(method) is not None
    if fixed or count >= enough:
        return None
    return (
        f"The reference has {count} usable chunk{'' if count == 1 else 's'}, fewer than {enough}: "
        "bounds are constants, not drawn from its spread; give it a longer reference."
    )


def standing(method: str, value: float, bounds: Bounds, p_value: float | None = None) -> State:
    """Say how one value stands against its bounds on the worse side: ok, warn or alert.

    Without bounds a p-value below 0.05 is a warning (chi2). This is the number by itself; whether the chunk warns or
    alerts, with effect floors, false discovery rate and earlier chunks, is the verdict's to say.
    """
    limits = worse_side(method, bounds)
    if limits.breaches_alert_bound(value):
        return State.ALERT
    if limits.breaches_warning_bound(value):
        return State.WARN
    unbounded = bounds.lower is None and bounds.upper is None
    return State.WARN if unbounded and p_value is not None and p_value < P_VALUE_LEVEL else State.OK


def _defined(values: Sequence[float | None]) -> list[float]:
    return [float(value) for value in values if value is not None and isfinite(value)]


def _family_size(spec: Spec, kind: ResultKind) -> int:
    return max(1, len(spec.metrics) if kind in PERFORMANCE else len(spec.watched))


def _prediction_factor(chunks: int, chance: float) -> float:
    """How many sample standard deviations off the mean of `chunks` values one more is with at most `chance`."""
    return -float(stdtrit(chunks - 1, chance)) * sqrt(1 + 1 / chunks)


def _nannyml_bounds(kind: ResultKind, method: str, values: list[float]) -> Bounds:
    if not values:
        return Bounds()
    bounds = own_bounds(StandardDeviationThreshold(), values)
    if kind is ResultKind.DRIFT:
        bounds = replace(bounds, lower=None, alert_lower=None)
    return _within_limits(method, bounds)


def _within_limits(method: str, bounds: Bounds) -> Bounds:
    """Cut bounds to the limits that NannyML has for `method`; its bounds of alert are those of warning."""
    row = measure(method)
    lowest, highest = row.range
    lower = None if bounds.lower is None else max(bounds.lower, lowest)
    if lower == lowest and not row.bound_at_zero:
        lower = None
    upper = bounds.upper if bounds.upper is None or not row.capped else min(bounds.upper, highest)
    return replace(bounds, lower=lower, upper=upper, alert_lower=lower, alert_upper=upper)


def clipped(method: str, bound: float) -> float:
    """Return `bound`, or the end of the method's range that it is beyond."""
    lowest, highest = measure(method).range
    return min(max(bound, lowest), highest)


def worse_side(method: str, bounds: Bounds) -> Bounds:
    """Return only the bounds on the side where the number gets worse."""
    side = measure(method).worse
    low, high = side in {Worse.LOWER, Worse.EITHER}, side in {Worse.HIGHER, Worse.EITHER}
    return Bounds(
        lower=bounds.lower if low else None,
        upper=bounds.upper if high else None,
        alert_lower=bounds.alert_lower if low else None,
        alert_upper=bounds.alert_upper if high else None,
        expected=bounds.expected,
    )
