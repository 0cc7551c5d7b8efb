"""The results of one chunk, compared with the bounds of the reference. No I/O here."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pandas as pd

from driftline.engine.chunking.chunks import Chunk
from driftline.engine.computation.compute import compute_outcomes, not_fitted
from driftline.engine.computation.fitted_methods import Summary, SummaryContent
from driftline.engine.evaluation.reference import FittedReference
from driftline.engine.evaluation.segments import new_values, spec_of_segments, summarize_segments
from driftline.engine.evidence.problems import count_evidence
from driftline.engine.evidence.scores.counts import Counts
from driftline.engine.outcome import Outcome, ResultKey, undefined
from driftline.engine.results import Bounds, Result, ResultKind, State, SubjectKind
from driftline.engine.spec import Spec
from driftline.engine.thresholds.comparison import compare
from driftline.engine.thresholds.fitted_bounds import FittedBounds


def evaluate_chunk(
    fitted: FittedReference, spec: Spec, frame: pd.DataFrame, chunk: Chunk | None = None
) -> tuple[Result, ...]:
    """Compute all results of one chunk: realized and estimated performance, drift, data quality and statistics.

    `frame` holds the chunk's rows in any order, with the spec's features and outputs (see `fit_reference`); a missing
    label has not arrived yet. Realized performance is computed from the labelled rows, everything else from all rows.
    `chunk` is the period of the rows; freshness needs it, and the column `event_time` too.

    Raises SchemaMismatch for missing columns, and InvalidInput for labels or predictions outside the problem's classes.
    """
    return finish_chunk(fitted, spec, summarize_chunk(fitted, spec, frame), chunk)


def summarize_chunk(
    fitted: FittedReference, spec: Spec, frame: pd.DataFrame, content: SummaryContent = SummaryContent.ALL
) -> Summary:
    """Summarize some or all rows of a chunk; `Summary.merge` merges the parts of a chunk.

    Features and labels may be summarized separately; `Summary.join` then joins the two. For labels, `frame` requires
    only outputs, labels and the features of segments.

    Raises InvalidInput if the reference was not fitted for all of `spec`.
    """
    missing = fitted.methods.missing(spec)
    missing += tuple(f"segments of {feature}" for feature in spec.segments if feature not in fitted.segments)
    if missing:
        raise not_fitted(", ".join(missing))
    summary = fitted.methods.summarize(frame, spec, content)
    return replace(summary, segments=summarize_segments(fitted.segments, fitted.methods, frame, spec, content))


def finish_chunk(
    fitted: FittedReference, spec: Spec, summary: Summary, chunk: Chunk | None = None
) -> tuple[Result, ...]:
    """Compute all results of a summarized chunk: those of all rows, then those of each segment.

    A summary of labels alone gives the results that may change with labels.
    """
    outcomes = compute_outcomes(fitted.methods, spec, summary, chunk)
    of_all_rows = (_result(fitted.bounds, spec, key, outcome) for key, outcome in outcomes.items())
    by_segment = (r for feature in spec.segments for r in _segment_results(fitted, spec, feature, summary, chunk))
    return (*of_all_rows, *by_segment)


def count_scores(fitted: FittedReference, summary: Summary) -> Counts | None:
    """Return the counts that evidence is computed from; None if the reference was not fitted for evidence."""
    return count_evidence(fitted.evidence, summary.performance)


def _segment_results(
    fitted: FittedReference, spec: Spec, feature: str, summary: Summary, chunk: Chunk | None
) -> Iterator[Result]:
    """Yield the results of each value of `feature`; values that the reference does not have come last."""
    segments, parts = fitted.segments[feature], summary.segments[feature]
    for value, segment in segments.items():
        name, part = f"{feature}={value}", parts[value]
        if segment.methods is None or part.summary is None:
            if summary.row_level is None:
                continue
            reason = f"the reference has {segment.rows} rows with {name}, fewer than the minimum of {spec.minimum_rows}"
            yield from _undefined_results(fitted, spec, name, part.rows, reason)
        else:
            outcomes = compute_outcomes(segment.methods, spec_of_segments(spec), part.summary, chunk)
            yield from (_result(segment.bounds, spec, key, outcome, name) for key, outcome in outcomes.items())
    for value in new_values(segments, parts) if summary.row_level else ():
        name = f"{feature}={value}"
        yield from _undefined_results(fitted, spec, name, parts[value].rows, f"the reference has no rows with {name}")


def _undefined_results(fitted: FittedReference, spec: Spec, segment: str, rows: int, reason: str) -> Iterator[Result]:
    """Yield a result without a value for each number of a segment."""
    outcome = undefined(rows, reason) if rows else undefined(0, "no rows in this chunk", State.NO_DATA)
    bounds = {key: FittedBounds(Bounds()) for key in fitted.bounds if key[1] is not ResultKind.MULTIVARIATE}
    yield from (_result(bounds, spec, key, outcome, segment) for key in bounds)


def _result(
    fitted: Mapping[ResultKey, FittedBounds], spec: Spec, key: ResultKey, outcome: Outcome, segment: str | None = None
) -> Result:
    """Return the result of an outcome: with its bounds, and its state within them."""
    fitted_bounds = fitted.get(key)
    if fitted_bounds is None:
        raise not_fitted(" ".join(key))
    subject, kind, method = key
    error = outcome.sampling_error if outcome.scatter is None else outcome.scatter
    bounds = fitted_bounds.bounds_at(kind, method, error)
    return Result(
        subject,
        kind,
        method,
        value=outcome.value,
        rows=outcome.rows,
        state=_state(method, outcome, bounds),
        bounds=bounds,
        sampling_error=outcome.sampling_error,
        p_value=outcome.p_value,
        reason=outcome.reason or fitted_bounds.note,
        effect=outcome.effect,
        segment=segment,
        subject_kind=SubjectKind.SCORE if subject in spec.scores else None,
    )


def _state(method: str, outcome: Outcome, bounds: Bounds) -> State:
    """Return the state of one number, at most `warn`: only the verdict decides whether the chunk alerts."""
    if outcome.value is None:
        return outcome.state
    inside = compare(method, outcome.value, bounds, outcome.p_value) is State.OK
    return State.OK if inside else State.WARN
