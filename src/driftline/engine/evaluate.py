"""The results of one chunk, held against the reference. No I/O here."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pandas as pd

from driftline.engine.chunks import Chunk
from driftline.engine.fitted_methods import Summary
from driftline.engine.outcome import Outcome, undefined
from driftline.engine.outcomes import Key, not_fitted, outcomes
from driftline.engine.reference import FittedReference
from driftline.engine.results import Bounds, Result, ResultKind, State
from driftline.engine.segments import new_values, summarize_segments, within
from driftline.engine.spec import Spec
from driftline.engine.thresholds.bounds import standing
from driftline.engine.thresholds.limits import Limit


def evaluate_chunk(
    fitted: FittedReference, spec: Spec, frame: pd.DataFrame, chunk: Chunk | None = None
) -> tuple[Result, ...]:
    """Compute all results of one chunk: realized, estimated, drift and quality.

    `frame` holds the chunk's rows: the spec's features and outputs (see `fit_reference`); a missing label is not known
    yet. Realized performance is of the labelled rows, all else of all rows. The order of the rows does not matter.
    Missing columns are a SchemaMismatch, labels or predictions that the problem has not an InvalidInput. `chunk` is the
    period of the rows; freshness needs it, and `event_time` too.
    """
    return finish_chunk(fitted, spec, summarize_chunk(fitted, spec, frame), chunk)


def summarize_chunk(fitted: FittedReference, spec: Spec, frame: pd.DataFrame) -> Summary:
    """Summarize some or all rows of a chunk; `Summary.merge` puts the parts of a chunk together."""
    unknown = fitted.states.lacking(spec)
    unknown += tuple(f"segments of {feature}" for feature in spec.segments if feature not in fitted.segments)
    if unknown:
        raise not_fitted(", ".join(unknown))
    summary = fitted.states.summarize(frame, spec)
    return replace(summary, segments=summarize_segments(fitted.segments, fitted.states, frame, spec))


def finish_chunk(
    fitted: FittedReference, spec: Spec, summary: Summary, chunk: Chunk | None = None
) -> tuple[Result, ...]:
    """Compute all results of the chunk that `summary` is of, and `chunk` the period: of all rows, then by segment."""
    found = outcomes(fitted.states, spec, summary, chunk)
    whole = tuple(_result(fitted.limits, key, outcome) for key, outcome in found.items())
    return (*whole, *(r for feature in spec.segments for r in _of_feature(fitted, spec, feature, summary, chunk)))


def _of_feature(
    fitted: FittedReference, spec: Spec, feature: str, summary: Summary, chunk: Chunk | None
) -> Iterator[Result]:
    segments, parts = fitted.segments[feature], summary.segments[feature]
    for value, segment in segments.items():
        name, part = f"{feature}={value}", parts[value]
        if segment.states is None or part.summary is None:
            reason = f"the reference has {segment.rows} rows with {name}, fewer than the minimum of {spec.minimum_rows}"
            yield from _incomparable(spec, fitted, name, part.rows, reason)
        else:
            found = outcomes(segment.states, within(spec), part.summary, chunk)
            yield from (_result(segment.limits, key, outcome, name) for key, outcome in found.items())
    for value in new_values(segments, parts):
        name = f"{feature}={value}"
        yield from _incomparable(spec, fitted, name, parts[value].rows, f"the reference has no rows with {name}")


def _incomparable(spec: Spec, fitted: FittedReference, name: str, rows: int, reason: str) -> Iterator[Result]:
    """Yield a result without a value for each number that a segment would have."""
    nothing = undefined(rows, reason) if rows else undefined(0, "no rows in this chunk", State.NO_DATA)
    limits = {key: Limit(Bounds()) for key in fitted.limits if key[1] is not ResultKind.MULTIVARIATE}
    yield from (_result(limits, key, nothing, name) for key in limits)


def _result(limits: Mapping[Key, Limit], key: Key, found: Outcome, segment: str | None = None) -> Result:
    limit = limits.get(key)
    if limit is None:
        raise not_fitted(" ".join(key))
    subject, kind, method = key
    error = found.sampling_error if found.scatter is None else found.scatter
    bounds = limit.bounds_at(kind, method, error)
    return Result(
        subject,
        kind,
        method,
        value=found.value,
        rows=found.rows,
        state=_state(key, found, bounds),
        bounds=bounds,
        sampling_error=found.sampling_error,
        p_value=found.p_value,
        reason=found.reason or limit.note,
        effect=found.effect,
        segment=segment,
    )


def _state(key: Key, found: Outcome, bounds: Bounds) -> State:
    """A number by itself warns at most: what is an alert, the verdict says."""
    if found.value is None:
        return found.state
    within = standing(key[2], found.value, bounds, found.p_value) is State.OK
    return State.OK if within else State.WARN
