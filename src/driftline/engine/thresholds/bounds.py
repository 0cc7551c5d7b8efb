"""Bounds that results are held against, by policy, from the values of the reference's own chunks. No I/O here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite, sqrt
from statistics import mean, stdev

from scipy.special import stdtrit

from driftline.engine.directions import PERFORMANCE, Worse, base, worse, worse_side
from driftline.engine.results import Bounds, Method, Metric, Quality, ResultKind, State, Statistic
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

EFFECT_FLOOR: dict[str, float] = {
    Method.JENSEN_SHANNON: 0.1,
    Method.KOLMOGOROV_SMIRNOV: 0.1,
    Method.HELLINGER: 0.1,
    Method.L_INFINITY: 0.1,
    Method.WASSERSTEIN: 0.1,
    Method.CHI2: 0.1,
    Method.PSI: 0.2,
    Method.DOMAIN_CLASSIFIER: 0.1,
    Quality.MISSING_VALUES: 0.05,
    Quality.UNSEEN_CATEGORIES: 0.01,
    Quality.OUT_OF_RANGE: 0.01,
    Quality.DUPLICATES: 0.01,
}
"""Effects not above this are too small to matter, however certain. See `Result.effect` for each method's scale; 0.1 is
a tenth of the column's standard deviation for Wasserstein, Cohen's small effect (w) for chi2, and a ROC AUC of 0.6 for
the domain classifier; PCA reconstruction error has none, since what is much depends on the features; 0.05 is five
percentage points more missing values than in the reference. 0.01 is one row in a hundred: of undisturbed rows about 2
in as many as the reference has fall outside its range, and a rare category may be new, which is far less in any
reference long enough for bounds. Row count and freshness have no scale of their own and so no floor."""

CONSTANT_BOUNDS: dict[str, Bounds] = {
    Metric.ROC_AUC: Bounds(lower=0.5),
    Method.JENSEN_SHANNON: Bounds(upper=0.1),
    Method.KOLMOGOROV_SMIRNOV: Bounds(upper=0.1),
    Method.HELLINGER: Bounds(upper=0.1),
    Method.L_INFINITY: Bounds(upper=0.1),
    Method.PSI: Bounds(upper=0.2),
}
"""Bounds that need no reference chunks. No model may be worse than chance (ROC AUC 0.5); for a distance and PSI it is
the effect floor. F1 and accuracy have none, since what is good depends on the share of positives. Wasserstein and
missing values have none either: their effect is held against its floor alone, and chi2 against its p-value and floor.
"""

_NOTHING_ABOVE_0 = Bounds(upper=0.0, alert_upper=0.0, expected=0.0)
FIXED_BOUNDS: dict[str, Bounds] = {
    Method.CHI2: Bounds(),
    Method.DOMAIN_CLASSIFIER: Bounds(lower=0.45, upper=0.65, alert_lower=0.45, alert_upper=0.65),
    Quality.UNSEEN_CATEGORIES: _NOTHING_ABOVE_0,
    Quality.OUT_OF_RANGE: _NOTHING_ABOVE_0,
}
"""Bounds that do not come from the reference's chunks under either policy, as in NannyML. The p-value decides on chi2;
the domain classifier does not tell the reference from its own chunks (only the upper bound is on the worse side); of
unseen categories and values out of range the reference has none, by definition."""
NO_BOUND_AT_ZERO = frozenset({Quality.ROW_COUNT, Statistic.STANDARD_DEVIATION, Method.PCA_RECONSTRUCTION})
"""Numbers that under policy `nannyml` have no lower bound where it would be 0 or less, instead of one at 0."""

UNCAPPED = frozenset({Method.JENSEN_SHANNON, Method.HELLINGER, Method.L_INFINITY})
"""Distances whose upper bound NannyML does not cut at 1."""

_SHARE = (0.0, 1.0)
_FROM_ZERO = (0.0, float("inf"))
_RANGE: dict[str, tuple[float, float]] = {
    Metric.ROC_AUC: _SHARE,
    Metric.F1: _SHARE,
    Metric.ACCURACY: _SHARE,
    Metric.AVERAGE_PRECISION: _SHARE,
    Metric.PRECISION: _SHARE,
    Metric.RECALL: _SHARE,
    Metric.SPECIFICITY: _SHARE,
    Metric.CONFUSION_MATRIX: _FROM_ZERO,
    Metric.TRUE_POSITIVES: _FROM_ZERO,
    Metric.FALSE_POSITIVES: _FROM_ZERO,
    Metric.TRUE_NEGATIVES: _FROM_ZERO,
    Metric.FALSE_NEGATIVES: _FROM_ZERO,
    Metric.BRIER: _SHARE,
    Metric.CALIBRATION_ERROR: _SHARE,
    Metric.LOG_LOSS: _FROM_ZERO,
    Metric.MAE: _FROM_ZERO,
    Metric.MAPE: _FROM_ZERO,
    Metric.MSE: _FROM_ZERO,
    Metric.RMSE: _FROM_ZERO,
    Metric.MSLE: _FROM_ZERO,
    Metric.RMSLE: _FROM_ZERO,
    Method.JENSEN_SHANNON: _SHARE,
    Method.KOLMOGOROV_SMIRNOV: _SHARE,
    Method.HELLINGER: _SHARE,
    Method.L_INFINITY: _SHARE,
    Method.WASSERSTEIN: _FROM_ZERO,
    Method.PSI: _FROM_ZERO,
    Method.PCA_RECONSTRUCTION: _FROM_ZERO,
    Method.DOMAIN_CLASSIFIER: _SHARE,
    Quality.MISSING_VALUES: _SHARE,
    Quality.UNSEEN_CATEGORIES: _SHARE,
    Quality.OUT_OF_RANGE: _SHARE,
    Quality.DUPLICATES: _SHARE,
    Quality.ROW_COUNT: _FROM_ZERO,
    Quality.FRESHNESS: _FROM_ZERO,
    Statistic.STANDARD_DEVIATION: _FROM_ZERO,
}


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
        return worse_side(kind, method, bounds)


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
    which is to be bounded, where it is known. Fewer than 4 defined reference values: `CONSTANT_BOUNDS`.

    Policy `nannyml`: the default thresholds of NannyML 0.13.1, mean ± 3 population standard deviations clipped to the
    method's limits; upper only for drift. Its alert is its only threshold, so the alert bounds are the same.

    Under both, `FIXED_BOUNDS` precede that, and an override of the method in `spec.threshold_overrides` precedes all,
    cut to the limits that NannyML has.
    """
    values = _defined(reference_values)
    own = spec.threshold_override(method)
    if own is not None:
        return _within_limits(method, own_bounds(own, values))
    if method in FIXED_BOUNDS:
        return FIXED_BOUNDS[method]
    if spec.thresholds is ThresholdPolicy.NANNYML:
        return _nannyml_bounds(kind, method, values)
    spread = spread_for(spec, kind, method, values)
    return spread.bounds(kind, method, sampling_error) if spread else CONSTANT_BOUNDS.get(method, Bounds())


def spread_for(spec: Spec, kind: ResultKind, method: str, reference_values: Sequence[float | None]) -> Spread | None:
    """Return what `bounds_for` draws bounds from, given the same; None where they do not come from a spread."""
    values = _defined(reference_values)
    by_policy = spec.threshold_override(method) is None and method not in FIXED_BOUNDS
    if not by_policy or spec.thresholds is ThresholdPolicy.NANNYML or len(values) < MINIMUM_REFERENCE_CHUNKS:
        return None
    chance = FALSE_ALERTS / _family_size(spec, kind)
    far = _prediction_factor(len(values), chance / 2 if worse(kind, method) is Worse.EITHER else chance)
    # statistics.mean and stdev are exact: equal values have themselves as mean and spread 0.
    return Spread(mean(values), stdev(values), far)


def bounds_note(spec: Spec, method: str, reference_values: Sequence[float | None]) -> str | None:
    """Say in plain words what limits the bounds of `method`, for `Result.reason`; None where nothing does.

    The text is the same for all methods of a kind with the same number of reference chunks.
    """
    count = len(_defined(reference_values))
    enough = 1 if spec.thresholds is ThresholdPolicy.NANNYML else MINIMUM_REFERENCE_CHUNKS
    if method in FIXED_BOUNDS or count >= enough or spec.threshold_override(method) is not None:
        return None
    return (
        f"The reference has {count} usable chunk{'' if count == 1 else 's'}, fewer than {enough}: "
        "bounds are constants, not drawn from its spread; give it a longer reference."
    )


def standing(kind: ResultKind, method: str, value: float, bounds: Bounds, p_value: float | None = None) -> State:
    """Say how one value stands against its bounds on the worse side: ok, warn or alert.

    Without bounds a p-value below 0.05 is a warning (chi2). This is the number by itself; whether the chunk warns or
    alerts, with effect floors, false discovery rate and earlier chunks, is the verdict's to say.
    """
    limits = worse_side(kind, method, bounds)
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
    lowest, highest = _RANGE.get(base(method), (-inf, inf))
    lower = None if bounds.lower is None else max(bounds.lower, lowest)
    if lower == lowest and base(method) in NO_BOUND_AT_ZERO:
        lower = None
    capped = bounds.upper is not None and method not in UNCAPPED
    upper = min(bounds.upper, highest) if capped and bounds.upper is not None else bounds.upper
    return replace(bounds, lower=lower, upper=upper, alert_lower=lower, alert_upper=upper)


def clipped(method: str, bound: float) -> float:
    """Return `bound`, or the end of the method's range that it is beyond."""
    lowest, highest = _RANGE.get(base(method), (-inf, inf))
    return min(max(bound, lowest), highest)
