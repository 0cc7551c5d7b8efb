"""The value that a method computes for one chunk, before it is compared with bounds. No I/O here."""

from dataclasses import dataclass
from math import isfinite

from driftline.engine.results import ResultKind, State

ResultKey = tuple[str, ResultKind, str]
"""Subject, kind and method, which identify a number of a chunk."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A value, or the reason why there is none; `state` matters only where there is none.

    `rows`, `sampling_error`, `p_value` and `effect` are as in `driftline.engine.results.Result`. `scatter` is the
    standard error that bounds are drawn with where `sampling_error`, which equals NannyML's, is not the true one.
    """

    value: float | None
    rows: int
    sampling_error: float | None = None
    p_value: float | None = None
    effect: float | None = None
    reason: str | None = None
    state: State = State.INSUFFICIENT
    scatter: float | None = None


def undefined(rows: int, reason: str, state: State = State.INSUFFICIENT) -> Outcome:
    """Return an outcome without a value."""
    return Outcome(None, rows, reason=reason, state=state)


def finite(value: float) -> float | None:
    """Return `value` as a plain float, or None where it is not finite."""
    return float(value) if isfinite(value) else None


def too_few(rows: int, minimum: int, row_description: str) -> str | None:
    """Return a reason if `rows` are fewer than `minimum`, else None; `row_description` names the rows."""
    return f"{rows} {row_description}, fewer than the minimum of {minimum}" if rows < minimum else None
