"""The rows of each category, which Jensen-Shannon, chi2 and other methods compare. Merges exactly. No I/O here."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Self

from driftline.engine.frames.columns import Categories


@dataclass(frozen=True, slots=True)
class Frequencies:
    """Rows by category: the reference of a categorical column, and the summary of a chunk."""

    counts: dict[str, int]

    @property
    def rows(self) -> int:
        """How many rows have a category."""
        return sum(self.counts.values())

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON-compatible values."""
        return {"counts": self.counts}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        return cls({str(name): int(count) for name, count in state["counts"].items()})


def fit(values: Categories) -> Frequencies:
    """Keep a reference's categories, in alphabetical order, so that the state does not depend on the rows' order."""
    return Frequencies({name: values.counts[name] for name in sorted(values.counts)})


def summarize(state: Frequencies, values: Categories) -> Frequencies:
    """Count a chunk's categories; those that the reference lacks are included."""
    return fit(values)


def merge(left: Frequencies, right: Frequencies) -> Frequencies:
    """Count the rows of two parts of a chunk."""
    return Frequencies(dict(sorted((Counter(left.counts) + Counter(right.counts)).items())))
