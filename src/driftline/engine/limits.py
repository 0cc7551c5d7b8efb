"""What numbers are held against: bounds from the reference's own chunks. No I/O here."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from driftline.engine.chunks import Chunk
from driftline.engine.outcomes import Key, outcomes
from driftline.engine.results import MODEL, Bounds, Kind, Method
from driftline.engine.spec import ModelSpec
from driftline.engine.states import States
from driftline.engine.thresholds import bounds_for, bounds_note

Limits = Mapping[Key, "Limit"]


@dataclass(frozen=True, slots=True)
class Limit:
    """What a number is held against, and in plain words what limits that; None where nothing does."""

    bounds: Bounds
    note: str | None = None


def limits_of(states: States, spec: ModelSpec, chunks: Sequence[tuple[Chunk, pd.DataFrame]]) -> dict[Key, Limit]:
    """Bound each number by its values in the reference's own chunks, of which there is at least one."""
    values = _values_of_chunks(states, spec, chunks)
    return {key: _limit(spec, key, values) for key in values}


def limits_to_list(limits: Limits) -> list[Any]:
    """Return limits as values that JSON has."""
    return [[*key, asdict(limit.bounds), limit.note] for key, limit in limits.items()]


def limits_from_list(stored: list[Any]) -> dict[Key, Limit]:
    """Return what `limits_to_list` was made from."""
    return {(s, Kind(k), m): Limit(Bounds(**bounds), note) for s, k, m, bounds, note in stored}


def _values_of_chunks(
    states: States, spec: ModelSpec, chunks: Sequence[tuple[Chunk, pd.DataFrame]]
) -> dict[Key, list[float | None]]:
    """Return each number of each chunk; none of the domain classifier, whose bounds are constants."""
    apart = [method for method in spec.multivariate_methods if method is Method.DOMAIN_CLASSIFIER]
    usual = tuple(method for method in spec.multivariate_methods if method not in apart)
    own = spec.model_copy(update={"multivariate_methods": usual})
    found = [outcomes(states, own, states.summarise(rows, own), chunk) for chunk, rows in chunks]
    values = {key: [outcome[key].value for outcome in found] for key in found[0]}
    return values | {(MODEL, Kind.MULTIVARIATE, method.value): [] for method in apart}


def _limit(spec: ModelSpec, key: Key, values: Mapping[Key, list[float | None]]) -> Limit:
    """Bound one number; an estimate by the realized values of the reference, as NannyML does."""
    subject, kind, method = key
    own = values[subject, Kind.REALIZED, method] if kind is Kind.ESTIMATED else values[key]
    return Limit(bounds_for(spec, kind, method, own), bounds_note(spec, method, own))
