"""The results of one chunk, held against the reference. No I/O here."""

import pandas as pd

from driftline.engine.chunks import Chunk
from driftline.engine.outcome import Outcome
from driftline.engine.outcomes import Key, not_fitted, outcomes
from driftline.engine.reference import FittedReference, Limit
from driftline.engine.results import Result, State
from driftline.engine.spec import ModelSpec
from driftline.engine.states import Summary
from driftline.engine.thresholds import standing


def evaluate_chunk(
    fitted: FittedReference, spec: ModelSpec, frame: pd.DataFrame, chunk: Chunk | None = None
) -> tuple[Result, ...]:
    """Compute all results of one chunk: realized, estimated, drift and quality.

    `frame` holds the chunk's rows: the spec's features, probability_1, prediction (0 or 1) and label (0, 1 or missing:
    not known yet). Realized performance is of the labelled rows, all else of all rows. The order of the rows does not
    matter. Missing columns are a SchemaMismatch, labels or predictions other than 0 and 1 an InvalidInput. `chunk` is
    the period of the rows; freshness needs it, and `event_time` too.
    """
    return finish_chunk(fitted, spec, summarise_chunk(fitted, spec, frame), chunk)


def summarise_chunk(fitted: FittedReference, spec: ModelSpec, frame: pd.DataFrame) -> Summary:
    """Summarise some or all rows of a chunk; `Summary.merge` puts the parts of a chunk together."""
    unknown = fitted.states.lacking(spec)
    if unknown:
        raise not_fitted(", ".join(unknown))
    return fitted.states.summarise(frame, spec)


def finish_chunk(
    fitted: FittedReference, spec: ModelSpec, summary: Summary, chunk: Chunk | None = None
) -> tuple[Result, ...]:
    """Compute all results of the chunk that `summary` is of, and `chunk` the period."""
    return tuple(_result(fitted, key, found) for key, found in outcomes(fitted.states, spec, summary, chunk).items())


def _result(fitted: FittedReference, key: Key, found: Outcome) -> Result:
    limit = fitted.limits.get(key)
    if limit is None:
        raise not_fitted(" ".join(key))
    subject, kind, method = key
    return Result(
        subject,
        kind,
        method,
        value=found.value,
        rows=found.rows,
        state=_state(key, found, limit),
        bounds=limit.bounds,
        sampling_error=found.sampling_error,
        p_value=found.p_value,
        reason=found.reason or limit.note,
        effect=found.effect,
    )


def _state(key: Key, found: Outcome, limit: Limit) -> State:
    """A number by itself warns at most: what is an alert, the verdict says."""
    if found.value is None:
        return found.state
    within = standing(key[1], key[2], found.value, limit.bounds, found.p_value) is State.OK
    return State.OK if within else State.WARN
