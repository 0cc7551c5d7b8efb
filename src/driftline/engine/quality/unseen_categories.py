"""The share of a column's rows whose category the reference does not have. Merges exactly. No I/O here."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, Self

from driftline.engine.frames.columns import Categories
from driftline.engine.outcome import Outcome, too_few, undefined
from driftline.engine.spec import Spec

NAME_LENGTH = 40
"""The number of characters of a category's name that a reason shows."""
_EXAMPLE = re.compile(r", most often .* \(\d+ rows\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class KnownCategories:
    """The categories of the reference, and whether it has missing values."""

    categories: frozenset[str]
    missing: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON-compatible values."""
        return {"categories": sorted(self.categories), "missing": self.missing}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        return cls(frozenset(state["categories"]), state["missing"])


@dataclass(frozen=True, slots=True)
class UnseenCounts:
    """The rows of a chunk, those with each category that the reference lacks, and those without a value."""

    rows: int
    counts: dict[str, int]
    missing: int

    def merge(self, other: "UnseenCounts") -> "UnseenCounts":
        """Merge the counts of two parts of a chunk."""
        counts = dict(Counter(self.counts) + Counter(other.counts))
        return UnseenCounts(self.rows + other.rows, counts, self.missing + other.missing)


def fit(values: Categories) -> KnownCategories:
    """Return the categories of a reference."""
    return KnownCategories(frozenset(values.counts), values.missing > 0)


def summarize(state: KnownCategories, values: Categories) -> UnseenCounts:
    """Count a chunk's rows by category where the reference does not have it."""
    counts = {name: count for name, count in values.counts.items() if name not in state.categories}
    return UnseenCounts(values.rows + values.missing, counts, values.missing)


def finish(state: KnownCategories, summary: UnseenCounts, spec: Spec) -> Outcome:
    """Return the share of rows, in [0, 1], whose category the reference does not have, as in NannyML 0.13.1.

    A missing value counts as a category, unseen where the reference has no missing values. The effect leaves missing
    values out, since they have their own method; the reference's share is 0.
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


def without_example(reason: str) -> str:
    """Return the reason of a result without the name of a category; where rows are erased, it may be theirs.

    >>> without_example("2 categories that the reference lacks, most often 'Ann' (3 rows)")
    '2 categories that the reference lacks'
    """
    return _EXAMPLE.sub("", reason)


def _details(counts: dict[str, int], missing: int) -> list[str]:
    details = []
    if counts:
        name, rows = min(counts.items(), key=lambda item: (-item[1], item[0]))
        plural = "category" if len(counts) == 1 else "categories"
        details.append(
            f"{len(counts)} {plural} that the reference lacks, most often {name[:NAME_LENGTH]!r} ({rows} rows)"
        )
    if missing:
        details.append(f"{missing} missing values count as unseen, since the reference has none")
    return details
