"""Data quality of a column: the share of rows without a value. No I/O here."""

from dataclasses import dataclass
from math import sqrt
from typing import Any, Self

from driftline.engine.frames.columns import LARGEST, Categories, Numbers
from driftline.engine.outcome import Outcome, too_few, undefined
from driftline.engine.spec import Spec


@dataclass(frozen=True, slots=True)
class MissingCounts:
    """The rows of a column, those without a value, and those with an infinite value, which counts as missing.

    It is the state of the reference and the summary of a chunk. Merges exactly.
    """

    rows: int
    missing: int
    infinite: int = 0

    @classmethod
    def of(cls, values: Numbers | Categories) -> Self:
        """Count the rows of a column."""
        if isinstance(values, Numbers):
            return cls(len(values.values) + values.missing + values.infinite, values.missing, values.infinite)
        return cls(values.rows + values.missing, values.missing)

    @property
    def share(self) -> float:
        """The share of rows without a value."""
        return (self.missing + self.infinite) / self.rows

    def merge(self, other: "MissingCounts") -> "MissingCounts":
        """Merge the counts of two parts of a chunk."""
        return MissingCounts(self.rows + other.rows, self.missing + other.missing, self.infinite + other.infinite)

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON-compatible values."""
        return {"rows": self.rows, "missing": self.missing, "infinite": self.infinite}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        return cls(**state)


def finish(state: MissingCounts, summary: MissingCounts, spec: Spec) -> Outcome:
    """Return the share of missing values in a chunk, in [0, 1], with its standard error at the reference's share.

    Both equal NannyML 0.13.1's. The effect is the chunk's share minus the reference's.
    """
    reason = too_few(summary.rows, spec.minimum_rows, "rows")
    if reason:
        return undefined(summary.rows, reason)
    error = sqrt(state.share * (1 - state.share)) / sqrt(summary.rows)
    return Outcome(summary.share, summary.rows, error, effect=summary.share - state.share, reason=_note(summary))


def _note(summary: MissingCounts) -> str | None:
    note = f"{summary.infinite} infinite values (above {LARGEST:g} in size) count as missing"
    return note if summary.infinite else None
