"""Every number of a chunk, from its summary and the reference's states. No I/O here."""

from collections.abc import Iterator
from typing import Any

from driftline.engine.chunks import Chunk
from driftline.engine.drift.methods import DriftMethod, methods_of
from driftline.engine.fitted_methods import FittedMethods, Summary
from driftline.engine.outcome import Outcome, too_few, undefined
from driftline.engine.quality import duplicates, freshness, missing_values, row_count
from driftline.engine.quality.methods import faults_of
from driftline.engine.results import LABEL, MODEL, Quality, ResultKind, State
from driftline.engine.spec import Spec
from driftline.engine.statistics.methods import finish, has_statistics, names
from driftline.errors import InvalidInput

Key = tuple[str, ResultKind, str]
"""Subject, kind and method: what an outcome is the outcome of."""


def outcomes(states: FittedMethods, spec: Spec, summary: Summary, chunk: Chunk | None = None) -> dict[Key, Outcome]:
    """Compute all that `spec` asks for: realized, estimated, drift, quality, statistics, in that order.

    `chunk` is the period that the summary is of; only freshness needs it.
    """
    performance = states.performance.outcomes(summary.performance, spec)
    found: dict[Key, Outcome] = {(MODEL, kind, metric): outcome for kind, metric, outcome in performance}
    found |= dict(_drifts(states, spec, summary))
    for method in spec.multivariate_methods:
        part = summary.multivariate[method]
        found[MODEL, ResultKind.MULTIVARIATE, method.value] = states.multivariate[method].outcome(part, spec)
    found |= dict(_faults(states, spec, summary))
    found |= dict(_faults_of_the_whole(spec, summary, chunk))
    found |= dict(_statistics(states, spec, summary))
    if summary.rows:
        return found
    return dict.fromkeys(found, undefined(0, "no rows in this chunk", State.NO_DATA))


def _drifts(states: FittedMethods, spec: Spec, summary: Summary) -> Iterator[tuple[Key, Outcome]]:
    for column in spec.watched:
        state, part = states.columns[column.name], summary.columns[column.name]
        for name, method in methods_of(spec, column).items():
            key = (column.name, ResultKind.DRIFT, name.value)
            yield key, _drift(method, column.name, state.sketches[method.sketch], part.sketches[method.sketch], spec)


def _faults(states: FittedMethods, spec: Spec, summary: Summary) -> Iterator[tuple[Key, Outcome]]:
    """Faults of columns; a label is left out: that it is not there yet is no fault."""
    for column in (column for column in spec.watched if column.name != LABEL):
        state, part = states.columns[column.name], summary.columns[column.name]
        if Quality.MISSING_VALUES in spec.quality:
            key = (column.name, ResultKind.QUALITY, Quality.MISSING_VALUES.value)
            yield key, missing_values.finish(state.missing, part.missing, spec)
        for fault, module in faults_of(spec, column).items():
            yield (
                (column.name, ResultKind.QUALITY, fault.value),
                module.finish(state.faults[fault], part.faults[fault], spec),
            )


def _faults_of_the_whole(spec: Spec, summary: Summary, chunk: Chunk | None) -> Iterator[tuple[Key, Outcome]]:
    if summary.whole.duplicates:
        key = (MODEL, ResultKind.QUALITY, Quality.DUPLICATES.value)
        yield key, duplicates.finish(summary.whole.duplicates, spec)
    if Quality.ROW_COUNT in spec.quality:
        yield (MODEL, ResultKind.QUALITY, Quality.ROW_COUNT.value), row_count.finish(summary.rows)
    if summary.whole.freshness:
        yield (MODEL, ResultKind.QUALITY, Quality.FRESHNESS.value), freshness.finish(summary.whole.freshness, chunk)


def _statistics(states: FittedMethods, spec: Spec, summary: Summary) -> Iterator[tuple[Key, Outcome]]:
    for column in (column for column in spec.watched if has_statistics(column, spec)):
        state, part = states.columns[column.name].statistics, summary.columns[column.name].statistics
        for name in names(spec):
            yield (column.name, ResultKind.STATISTIC, name), finish(state, part, name, spec)


def _drift(method: DriftMethod, column: str, state: Any, part: Any, spec: Spec) -> Outcome:
    if not state.rows:
        return undefined(part.rows, "the reference has no values of this column to compare with")
    if column == LABEL and not part.rows:
        return undefined(0, "no label is known yet", State.PENDING_LABELS)
    reason = too_few(
        part.rows, spec.minimum_rows, "labelled rows" if column == LABEL else "values that are not missing"
    )
    return undefined(part.rows, reason) if reason else method.finish(state, part)


def not_fitted(what: str) -> InvalidInput:
    """Return the error for a number of which the reference keeps nothing."""
    return InvalidInput(f"the reference was not fitted for {what}; fit it again under this spec")
