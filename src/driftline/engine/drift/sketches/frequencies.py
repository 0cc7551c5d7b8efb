"""How often each category occurs, as Jensen-Shannon and chi2 compare it. Merges exactly. No I/O here."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Self

from driftline.engine.columns import Categories


@dataclass(frozen=True, slots=True)
class Frequencies:
    """Rows by category: the reference of a categorical column, and the summary of a chunk."""

    counts: dict[str, int]

    @property
    def rows(self) -> int:
        """How many rows have a category."""
        return sum(self.counts.values())

    def to_dict(self) -> dict[str, Any]:
        """Return the state as values that JSON has."""
        return {"counts": self.counts}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return what `to_dict` was made from."""
        return cls({str(name): int(count) for name, count in state["counts"].items()})


def fit(values: Categories) -> Frequencies:
    """Keep a reference's categories, in alphabetical order, so that the state does not depend on the rows' order."""
    return Frequencies(dict(sorted(values.counts.items())))


def summarize(state: Frequencies, values: Categories) -> Frequencies:
    """Count a chunk's categories; those that the reference lacks are included."""
    return fit(values)


def merge(one: Frequencies, other: Frequencies) -> Frequencies:
    """Count the rows of two parts of a chunk."""
    return Frequencies(dict(sorted((Counter(one.counts) + Counter(other.counts)).items())))
