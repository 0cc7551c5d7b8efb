"""Bins between the deciles of a continuous column, which the population stability index compares. No I/O here."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from driftline.engine.drift.sketches.histogram import ChunkHistogram
from driftline.engine.frames.columns import FloatArray, IntArray

TENTHS = np.arange(1, 10) / 10


@dataclass(frozen=True, slots=True, eq=False)
class Deciles:
    """The reference of a continuous column: counts between `cuts`, one more than there are cuts.

    A value on a cut belongs to the bin below it; the first and the last bin are open. Equal deciles are one
    cut. Where the lowest cut is the reference's lowest value, the values below it have a separate bin.
    """

    cuts: FloatArray
    counts: IntArray

    @property
    def rows(self) -> int:
        """How many values the reference has."""
        return int(self.counts.sum())

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON-compatible values."""
        return {"cuts": self.cuts.tolist(), "counts": self.counts.tolist()}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        return cls(np.asarray(state["cuts"], dtype=np.float64), np.asarray(state["counts"], dtype=np.int64))


def fit(ordered: FloatArray) -> Deciles:
    """Cut a reference's finite values, given in ascending order, at its deciles, each of which is one of the values."""
    cuts = np.unique(np.quantile(ordered, TENTHS, method="inverted_cdf")) if len(ordered) else np.empty(0)
    if len(cuts) and cuts[0] == ordered[0]:
        cuts = np.concatenate(([np.nextafter(cuts[0], -np.inf)], cuts))
    return Deciles(cuts, _count_between(cuts, ordered))


def summarize(state: Deciles, values: FloatArray) -> ChunkHistogram:
    """Count a chunk's finite values, in any order, between the reference's cuts."""
    return ChunkHistogram(_count_between(state.cuts, values), len(values))


def _count_between(cuts: FloatArray, values: FloatArray) -> IntArray:
    return np.bincount(np.searchsorted(cuts, values, side="left"), minlength=len(cuts) + 1)
