"""The share of a column's rows whose category the reference does not have. Merges exactly. No I/O here."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Self

from driftline.engine.columns import Categories
from driftline.engine.outcome import Outcome, too_few, undefined
from driftline.engine.spec import Spec

SHOWN = 40
"""How many characters of a category a reason shows."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The categories of the reference, and whether some of its rows had none."""

    categories: frozenset[str]
    missing: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the state as values that JSON has."""
        return {"categories": sorted(self.categories), "missing": self.missing}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return what `to_dict` was made from."""
        return cls(frozenset(state["categories"]), state["missing"])


@dataclass(frozen=True, slots=True)
class Unseen:
    """A chunk's `rows`, how many of them have each category that the reference lacks, and how many have none."""

    rows: int
    counts: dict[str, int]
    missing: int

    def merge(self, other: "Unseen") -> "Unseen":
        """Count the rows of both."""
        counts = dict(Counter(self.counts) + Counter(other.counts))
        return Unseen(self.rows + other.rows, counts, self.missing + other.missing)


def fit(values: Categories) -> Seen:
    """Keep the categories of a reference."""
    return Seen(frozenset(values.counts), values.missing > 0)


def summarize(state: Seen, values: Categories) -> Unseen:
    """Count a chunk's rows by category where the reference does not have it."""
    counts = {name: count for name, count in values.counts.items() if name not in state.categories}
    return Unseen(values.rows + values.missing, counts, values.missing)


def finish(state: Seen, summary: Unseen, spec: Spec) -> Outcome:
    """Return the share of rows, in [0, 1], whose category the reference does not have, as NannyML 0.13.1 has it.

    A missing value counts as a category, unseen where the reference has no missing values. The effect leaves missing
    values out, since they have a method of their own; the reference's share is 0.
    """
    reason = too_few(summary.rows, spec.minimum_rows, "rows")
    if reason:
        return undefined(summary.rows, reason)
    unseen = sum(summary.counts.values())
    missing = 0 if state.missing else summary.missing
    return Outcome(
        (unseen + missing) / summary.rows,
        summary.rows,
        effect=unseen / summary.rows,
        reason="; ".join(_details(summary.counts, missing)) or None,
    )


def _details(counts: dict[str, int], missing: int) -> list[str]:
    details = []
    if counts:
        name, rows = min(counts.items(), key=lambda item: (-item[1], item[0]))
        plural = "category" if len(counts) == 1 else "categories"
        details.append(f"{len(counts)} {plural} that the reference lacks, most often {name[:SHOWN]!r} ({rows} rows)")
    if missing:
        details.append(f"{missing} missing values count as unseen, since the reference has none")
    return details
