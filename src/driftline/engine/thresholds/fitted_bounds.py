"""The bounds that a fitted reference stores for each number, drawn from its chunks. No I/O here."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from driftline.engine.catalogue import PERFORMANCE_KINDS, measure
from driftline.engine.chunking.chunks import Chunk
from driftline.engine.computation.compute import compute_outcomes
from driftline.engine.computation.fitted_methods import FittedMethods
from driftline.engine.outcome import Outcome, ResultKey
from driftline.engine.results import MODEL, Bounds, ResultKind
from driftline.engine.spec import Spec
from driftline.engine.tasks import Map, serial_map
from driftline.engine.thresholds.policies import ReferenceSpread, bounds_for, bounds_note, spread_for


@dataclass(frozen=True, slots=True)
class FittedBounds:
    """The bounds of one number, and a note in plain words where they are not drawn as usual.

    `spread` is what the bounds are drawn from where they also depend on a value's own sampling error, else None.
    """

    bounds: Bounds
    note: str | None = None
    spread: ReferenceSpread | None = None

    def bounds_at(self, kind: ResultKind, method: str, sampling_error: float | None) -> Bounds:
        """Return the bounds of a value with this sampling error (None if unknown)."""
        return self.bounds if self.spread is None else self.spread.bounds(kind, method, sampling_error)


def fit_bounds(
    methods: FittedMethods, spec: Spec, chunks: Sequence[tuple[Chunk, pd.DataFrame]], mapper: Map = serial_map
) -> dict[ResultKey, FittedBounds]:
    """Return the bounds of each number from its values in the reference's chunks, of which there is at least one."""
    values = _values_by_chunk(methods, spec, chunks, mapper)
    return {key: _fit_number(spec, key, values) for key in values}


def bounds_to_list(bounds: Mapping[ResultKey, FittedBounds]) -> list[Any]:
    """Return fitted bounds as JSON-compatible values."""
    return [
        [*key, asdict(fitted.bounds), fitted.note, fitted.spread and asdict(fitted.spread)]
        for key, fitted in bounds.items()
    ]


def bounds_from_list(stored: list[Any]) -> dict[ResultKey, FittedBounds]:
    """Return the bounds that `bounds_to_list` serialized."""
    return {
        (subject, ResultKind(kind), method): FittedBounds(
            Bounds(**bounds), note, ReferenceSpread(**spread) if spread else None
        )
        for subject, kind, method, bounds, note, spread in stored
    }


def _values_by_chunk(
    methods: FittedMethods, spec: Spec, chunks: Sequence[tuple[Chunk, pd.DataFrame]], mapper: Map
) -> dict[ResultKey, list[float | None]]:
    """Return the values of each number in all chunks; none for multivariate methods with fixed bounds."""
    fixed = [method for method in spec.multivariate_methods if measure(method).fixed_bounds is not None]
    drawn = tuple(method for method in spec.multivariate_methods if method not in fixed)
    computed = spec.model_copy(update={"multivariate_methods": drawn})

    def outcomes_of(part: tuple[Chunk, pd.DataFrame]) -> dict[ResultKey, Outcome]:
        chunk, rows = part
        return compute_outcomes(methods, computed, methods.summarize(rows, computed), chunk)

    by_chunk = list(mapper(outcomes_of, chunks))
    values = {key: [outcomes[key].value for outcomes in by_chunk] for key in by_chunk[0]}
    return values | {(MODEL, ResultKind.MULTIVARIATE, method.value): [] for method in fixed}


def _fit_number(spec: Spec, key: ResultKey, values: Mapping[ResultKey, list[float | None]]) -> FittedBounds:
    """Return the bounds of one number; those of an estimate come from realized values, as in NannyML."""
    subject, kind, method = key
    reference_values = values[(subject, ResultKind.REALIZED, method) if kind is ResultKind.ESTIMATED else key]
    spread = spread_for(spec, kind, method, reference_values)
    bounds = spread.bounds(kind, method) if spread else bounds_for(spec, kind, method, reference_values)
    note = bounds_note(spec, method, reference_values)
    return FittedBounds(bounds, note, spread if kind in PERFORMANCE_KINDS else None)
