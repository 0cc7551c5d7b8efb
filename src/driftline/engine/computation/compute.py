"""Computes every number of a chunk from its summary and the fitted methods. No I/O here."""

from collections.abc import Iterator
from typing import Any

from driftline.engine.chunking.chunks import Chunk
from driftline.engine.computation.fitted_methods import FittedMethods, Summary
from driftline.engine.drift.methods import DriftMethod, methods_of
from driftline.engine.outcome import Outcome, ResultKey, too_few, undefined
from driftline.engine.quality import duplicates, freshness, missing_values
from driftline.engine.quality.methods import quality_methods_of
from driftline.engine.results import LABEL, MODEL, Quality, ResultKind, State
from driftline.engine.spec import Spec
from driftline.engine.statistics.methods import finish, has_statistics, names
from driftline.errors import InvalidInput

Outcomes = Iterator[tuple[ResultKey, Outcome]]


def compute_outcomes(
    methods: FittedMethods, spec: Spec, summary: Summary, chunk: Chunk | None = None
) -> dict[ResultKey, Outcome]:
    """Compute the numbers of `spec` in this order: realized, estimated, drift, quality, statistics.

    Numbers of content that was not summarized are left out. `chunk` is the period of the summarized rows; only
    freshness needs it.
    """
    performance = methods.performance.outcomes(summary.performance, spec) if summary.performance is not None else ()
    outcomes: dict[ResultKey, Outcome] = {(MODEL, kind, metric): outcome for kind, metric, outcome in performance}
    outcomes |= dict(_column_drift(methods, spec, summary))
    outcomes |= dict(_multivariate_drift(methods, spec, summary))
    outcomes |= dict(_column_quality(methods, spec, summary))
    outcomes |= dict(_row_level_quality(spec, summary, chunk))
    outcomes |= dict(_statistics(methods, spec, summary))
    if summary.rows:
        return outcomes
    return dict.fromkeys(outcomes, undefined(0, "no rows in this chunk", State.NO_DATA))


def _column_drift(methods: FittedMethods, spec: Spec, summary: Summary) -> Outcomes:
    for column in (column for column in spec.watched if column.name in summary.columns):
        fitted, part = methods.columns[column.name], summary.columns[column.name]
        for name, method in methods_of(spec, column).items():
            state, sketch = fitted.sketches[method.sketch], part.sketches[method.sketch]
            yield (column.name, ResultKind.DRIFT, name.value), _drift(method, column.name, state, sketch, spec)


def _multivariate_drift(methods: FittedMethods, spec: Spec, summary: Summary) -> Outcomes:
    for method in (method for method in spec.multivariate_methods if method in summary.multivariate):
        outcome = methods.multivariate[method].outcome(summary.multivariate[method], spec)
        yield (MODEL, ResultKind.MULTIVARIATE, method.value), outcome


def _column_quality(methods: FittedMethods, spec: Spec, summary: Summary) -> Outcomes:
    """Yield the data quality of each watched column except the label: a pending label is not a fault."""
    watched = (column for column in spec.watched if column.name in summary.columns)
    for column in (column for column in watched if column.name != LABEL):
        fitted, part = methods.columns[column.name], summary.columns[column.name]
        if Quality.MISSING_VALUES in spec.quality:
            key = (column.name, ResultKind.QUALITY, Quality.MISSING_VALUES.value)
            yield key, missing_values.finish(fitted.missing, part.missing, spec)
        for method, module in quality_methods_of(spec, column).items():
            key = (column.name, ResultKind.QUALITY, method.value)
            yield key, module.finish(fitted.quality[method], part.quality[method], spec)


def _row_level_quality(spec: Spec, summary: Summary, chunk: Chunk | None) -> Outcomes:
    """Yield the data quality of the chunk's rows; the minimum number of rows does not apply to the row count."""
    if summary.row_level is None:
        return
    if summary.row_level.duplicates:
        key = (MODEL, ResultKind.QUALITY, Quality.DUPLICATES.value)
        yield key, duplicates.finish(summary.row_level.duplicates, spec)
    if Quality.ROW_COUNT in spec.quality:
        yield (MODEL, ResultKind.QUALITY, Quality.ROW_COUNT.value), Outcome(float(summary.rows), summary.rows)
    if summary.row_level.freshness:
        key = (MODEL, ResultKind.QUALITY, Quality.FRESHNESS.value)
        yield key, freshness.finish(summary.row_level.freshness, chunk)


def _statistics(methods: FittedMethods, spec: Spec, summary: Summary) -> Outcomes:
    watched = (column for column in spec.watched if column.name in summary.columns)
    for column in (column for column in watched if has_statistics(column, spec)):
        state, part = methods.columns[column.name].statistics, summary.columns[column.name].statistics
        for name in names(spec):
            yield (column.name, ResultKind.STATISTIC, name), finish(state, part, name, spec)


def _drift(method: DriftMethod, column: str, state: Any, sketch: Any, spec: Spec) -> Outcome:
    """Compare the sketches of the reference and of the chunk, if both have enough values."""
    if not state.rows:
        return undefined(sketch.rows, "the reference has no values of this column to compare with")
    if column == LABEL and not sketch.rows:
        return undefined(0, "no label is known yet", State.PENDING_LABELS)
    row_description = "labelled rows" if column == LABEL else "values that are not missing"
    reason = too_few(sketch.rows, spec.minimum_rows, row_description)
    return undefined(sketch.rows, reason) if reason else method.finish(state, sketch)


def not_fitted(missing: str) -> InvalidInput:
    """Return the error for a number that the reference was not fitted for."""
    return InvalidInput(f"the reference was not fitted for {missing}; fit it again under this spec")
