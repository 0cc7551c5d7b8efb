"""Compares one value with its bounds, and computes its confidence band. No I/O here."""

from driftline.engine.catalogue import Worse, measure
from driftline.engine.results import Bounds, State

P_VALUE_LEVEL = 0.05
"""The p-value below which a test is significant; over columns it is the false discovery rate."""
STANDARD_ERRORS = 3.0
"""A confidence band extends this many standard errors to each side of the value."""


def compare(method: str, value: float, bounds: Bounds, p_value: float | None = None) -> State:
    """Return the state of one value compared with its bounds on the worse side: ok, warn or alert.

    Without bounds a p-value below 0.05 is a warning (chi2). This is the number by itself: the verdict considers effect
    floors, the false discovery rate and earlier chunks too.
    """
    relevant = worse_side(method, bounds)
    if relevant.breaches_alert_bound(value):
        return State.ALERT
    if relevant.breaches_warning_bound(value):
        return State.WARN
    unbounded = bounds.lower is None and bounds.upper is None
    return State.WARN if unbounded and p_value is not None and p_value < P_VALUE_LEVEL else State.OK


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


def clip(method: str, bound: float) -> float:
    """Return `bound`, clipped to the method's range."""
    lowest, highest = measure(method).range
    return min(max(bound, lowest), highest)
