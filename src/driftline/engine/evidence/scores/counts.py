"""A chunk's rows as counts from which evidence is computed; each problem has its own. No I/O here."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, Self

import numpy as np


class Counts:
    """Arrays that add up over the parts of a chunk; those of several chunks have a further first axis.

    Subclasses are dataclasses whose fields are the arrays.
    """

    __slots__ = ()

    @classmethod
    def stack(cls, counts: Iterable[Self]) -> Self:
        """Return the counts of several chunks in one, with a first axis for the chunk, in full width."""
        parts = [part.arrays for part in counts]
        return cls(*(_widened(np.stack(arrays)) for arrays in zip(*parts, strict=True)))

    @property
    def arrays(self) -> list[Any]:
        """The arrays, in the order of the fields."""
        return [getattr(self, field.name) for field in fields(self)]  # type: ignore[arg-type]  # subclasses are dataclasses

    @property
    def has_rows(self) -> bool:
        """Whether any row is counted."""
        return any(bool(array.any()) for array in self.arrays)

    def merge(self, other: Self) -> Self:
        """Merge the counts of two parts of a chunk."""
        pairs = zip(self.arrays, other.arrays, strict=True)
        return type(self)(*(_widened(first) + _widened(second) for first, second in pairs))

    def __getitem__(self, chunks: Any) -> Self:
        """Return some chunks of stacked counts."""
        return type(self)(*(array[chunks] for array in self.arrays))

    def narrowed(self) -> Self:
        """Return the same counts in the smallest types, for storage in memory; `merge` and `stack` widen them."""
        return type(self)(*map(_narrowed, self.arrays))

    def to_list(self) -> list[Any]:
        """Return the counts as JSON-compatible values."""
        return [array.tolist() for array in self.arrays]

    @classmethod
    def from_list(cls, stored: Sequence[Any]) -> Self:
        """Return the counts that `to_list` serialized."""
        return cls(*(_widened(np.asarray(part)) for part in stored))


def _widened(array: Any) -> Any:
    return array.astype(np.float64 if array.dtype.kind == "f" else np.int64, copy=False)


def _narrowed(array: Any) -> Any:
    """Return whole numbers in the smallest signed type that holds them; other numbers unchanged."""
    if array.dtype.kind == "f":
        return array
    largest = int(array.max(initial=0))
    return array.astype(next(t for t in (np.int8, np.int16, np.int32, np.int64) if largest <= np.iinfo(t).max))
