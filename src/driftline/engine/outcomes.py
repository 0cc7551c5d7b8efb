"""Every number of a chunk, from its summary and the reference's states. No I/O here."""

from collections.abc import Iterator
from typing import Any

from driftline.engine import quality
from driftline.engine.drift.methods import DriftMethod, methods_of
from driftline.engine.outcome import Outcome, too_few, undefined
from driftline.engine.results import MODEL, Kind, Quality, State
from driftline.engine.spec import ModelSpec
from driftline.engine.states import States, Summary

Key = tuple[str, Kind, str]
"""Subject, kind and method: what an outcome is the outcome of."""


def outcomes(states: States, spec: ModelSpec, summary: Summary) -> dict[Key, Outcome]:
    """Compute all that `spec` asks for: realized, estimated, drift and quality, in that order."""
    performance = states.performance.outcomes(summary.performance, spec)
    found: dict[Key, Outcome] = {(MODEL, kind, metric): outcome for kind, metric, outcome in performance}
    found |= dict(_columns(states, spec, summary))
    if summary.rows:
        return found
    return dict.fromkeys(found, undefined(0, "no rows in this chunk", State.NO_DATA))


def _columns(states: States, spec: ModelSpec, summary: Summary) -> Iterator[tuple[Key, Outcome]]:
    for column in spec.watched:
        state, part = states.columns[column.name], summary.columns[column.name]
        for name, method in methods_of(spec, column).items():
            key = (column.name, Kind.DRIFT, name.value)
            yield key, _drift(method, state.sketches[method.sketch], part.sketches[method.sketch], spec)
    for column in spec.watched:
        key = (column.name, Kind.QUALITY, Quality.MISSING_VALUES.value)
        yield key, quality.finish(states.columns[column.name].missing, summary.columns[column.name].missing, spec)


def _drift(method: DriftMethod, state: Any, part: Any, spec: ModelSpec) -> Outcome:
    if not state.rows:
        return undefined(part.rows, "the reference has no values of this column to compare with")
    reason = too_few(part.rows, spec.minimum_rows, "values that are not missing")
    return undefined(part.rows, reason) if reason else method.finish(state, part)
