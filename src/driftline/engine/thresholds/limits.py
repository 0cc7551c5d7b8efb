"""What numbers are held against: bounds from the reference's own chunks. No I/O here."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from driftline.engine.catalogue import PERFORMANCE, measure
from driftline.engine.chunks import Chunk
from driftline.engine.fitted_methods import FittedMethods
from driftline.engine.outcome import Outcome
from driftline.engine.outcomes import Key, outcomes
from driftline.engine.results import MODEL, Bounds, ResultKind
from driftline.engine.spec import Spec
from driftline.engine.tasks import Map, serial_map
from driftline.engine.thresholds.bounds import Spread, bounds_for, bounds_note, spread_for

Limits = Mapping[Key, "Limit"]


@dataclass(frozen=True, slots=True)
class Limit:
    """What a number is held against, and in plain words what limits that; None where nothing does.

    `spread` is what the bounds are drawn from where they also depend on a value's own sampling error, None elsewhere.
    """

    bounds: Bounds
    note: str | None = None
    spread: Spread | None = None

    def bounds_at(self, kind: ResultKind, method: str, sampling_error: float | None) -> Bounds:
        """Return the bounds of a value with this sampling error (None where it is not known)."""
        return self.bounds if self.spread is None else self.spread.bounds(kind, method, sampling_error)


def limits_of(
    states: FittedMethods, spec: Spec, chunks: Sequence[tuple[Chunk, pd.DataFrame]], mapper: Map = serial_map
) -> dict[Key, Limit]:
    """Bound each number by its values in the reference's own chunks, of which there is at least one."""
    values = _values_of_chunks(states, spec, chunks, mapper)
    return {key: _limit(spec, key, values) for key in values}


def limits_to_list(limits: Limits) -> list[Any]:
    """Return limits as values that JSON has."""
    return [
        [*key, asdict(limit.bounds), limit.note, limit.spread and asdict(limit.spread)] for key, limit in limits.items()
    ]


def limits_from_list(stored: list[Any]) -> dict[Key, Limit]:
    """Return what `limits_to_list` was made from."""
    return {
        (subject, ResultKind(kind), method): Limit(Bounds(**bounds), note, Spread(**spread) if spread else None)
        for subject, kind, method, bounds, note, spread in stored
    }


def _values_of_chunks(
    states: FittedMethods, spec: Spec, chunks: Sequence[tuple[Chunk, pd.DataFrame]], mapper: Map
) -> dict[Key, list[float | None]]:
    """Return each number of each chunk; none of multivariate methods with fixed bounds, which need no values."""
    apart = [method for method in spec.multivariate_methods if measure(method).fixed_bounds is not None]
    usual = tuple(method for method in spec.multivariate_methods if method not in apart)
    own = spec.model_copy(update={"multivariate_methods": usual})

    def numbers(part: tuple[Chunk, pd.DataFrame]) -> dict[Key, Outcome]:
        chunk, rows = part
        return outcomes(states, own, states.summarize(rows, own), chunk)

    found = list(mapper(numbers, chunks))
    values = {key: [outcome[key].value for outcome in found] for key in found[0]}
    return values | {(MODEL, ResultKind.MULTIVARIATE, method.value): [] for method in apart}


def _limit(spec: Spec, key: Key, values: Mapping[Key, list[float | None]]) -> Limit:
    """Bound one number; an estimate by the realized values of the reference, as NannyML does."""
    subject, kind, method = key
    own = values[subject, ResultKind.REALIZED, method] if kind is ResultKind.ESTIMATED else values[key]
    spread = spread_for(spec, kind, method, own)
    bounds = spread.bounds(kind, method) if spread else bounds_for(spec, kind, method, own)
    return Limit(bounds, bounds_note(spec, method, own), spread if kind in PERFORMANCE else None)
