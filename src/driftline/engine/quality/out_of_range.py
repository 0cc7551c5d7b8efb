"""The share of a column's rows with a value outside the reference's range. Merges exactly. No I/O here."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from driftline.engine.frames.columns import LARGEST, Numbers
from driftline.engine.number_format import readable
from driftline.engine.outcome import Outcome, too_few, undefined
from driftline.engine.spec import Spec


@dataclass(frozen=True, slots=True)
class ReferenceRange:
    """The lowest and the highest finite value of the reference, in the column's unit; None where it has none."""

    lowest: float | None
    highest: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON-compatible values."""
        return {"lowest": self.lowest, "highest": self.highest}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        return cls(**state)


@dataclass(frozen=True, slots=True)
class OutsideCounts:
    """The rows of a chunk, and those with a value below or above the reference's range, or an infinite value."""

    rows: int
    below: int
    above: int
    infinite: int

    def merge(self, other: "OutsideCounts") -> "OutsideCounts":
        """Merge the counts of two parts of a chunk."""
        return OutsideCounts(
            self.rows + other.rows,
            self.below + other.below,
            self.above + other.above,
            self.infinite + other.infinite,
        )


def fit(values: Numbers) -> ReferenceRange:
    """Return the range of a reference's finite values."""
    if not len(values.values):
        return ReferenceRange(None, None)
    return ReferenceRange(float(values.values.min()), float(values.values.max()))


def summarize(state: ReferenceRange, values: Numbers) -> OutsideCounts:
    """Count a chunk's values outside the range."""
    rows = len(values.values) + values.missing + values.infinite
    if state.lowest is None or state.highest is None:
        return OutsideCounts(rows, 0, 0, values.infinite)
    below = int(np.count_nonzero(values.values < state.lowest))
    above = int(np.count_nonzero(values.values > state.highest))
    return OutsideCounts(rows, below, above, values.infinite)


def finish(state: ReferenceRange, summary: OutsideCounts, spec: Spec) -> Outcome:
    """Return the share of rows, in [0, 1], with a value outside the reference's range, as in NannyML 0.13.1.

    Rows without a value do not count as outside; infinite values do. The effect is the share itself, since the
    reference's share is 0.
    """
    reason = too_few(summary.rows, spec.minimum_rows, "rows")
    if reason:
        return undefined(summary.rows, reason)
    if state.lowest is None:
        return undefined(summary.rows, "the reference has no values of this column to compare with")
    share = (summary.below + summary.above + summary.infinite) / summary.rows
    return Outcome(share, summary.rows, effect=share, reason="; ".join(_details(state, summary)) or None)


def _details(state: ReferenceRange, summary: OutsideCounts) -> list[str]:
    details = []
    if summary.below and state.lowest is not None:
        details.append(f"{summary.below} values below {readable(state.lowest, 6)}")
    if summary.above and state.highest is not None:
        details.append(f"{summary.above} values above {readable(state.highest, 6)}")
    if summary.infinite:
        details.append(f"{summary.infinite} infinite values (above {LARGEST:g} in size)")
    return details
