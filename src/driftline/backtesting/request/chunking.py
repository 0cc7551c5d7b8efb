"""How the rows are cut into chunks: periods of the calendar, a number of rows, or a number of chunks. No I/O here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from driftline.engine.chunks import count_sizes, row_sizes
from driftline.engine.spec import Period
from driftline.errors import InvalidInput

ENOUGH_CHUNKS = 8
"""A reference should have at least this many chunks."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One of three: a `period`, chunks of a number of `rows`, or a `count` of chunks over the analysis."""

    period: Period | None = None
    rows: int | None = None
    count: int | None = None

    @classmethod
    def read(cls, text: Any) -> Self | None:
        """Read `1h`, `1d`, `1w`, `1mo`, `1q`, `rows:5000` or `count:20`; another text is an InvalidInput."""
        if text is None:
            return None
        if text in set(Period):
            return cls(period=Period(text))
        found = re.fullmatch(r"(rows|count):([1-9]\d{0,17})", str(text))
        if not found:
            periods = ", ".join(Period)
            msg = f"unknown chunk {str(text)!r}; give a period ({periods}), rows:5000 or count:20"
            raise InvalidInput(msg)
        return cls(rows=int(found[2])) if found[1] == "rows" else cls(count=int(found[2]))

    @property
    def text(self) -> str:
        """The cut as one types it."""
        return str(self.period) if self.period else f"rows:{self.rows}" if self.rows else f"count:{self.count}"

    def sizes(self, total: int) -> tuple[int, ...]:
        """Return how many rows each chunk of `total` rows has, in order; not for periods."""
        return row_sizes(total, self.rows) if self.rows else count_sizes(total, self.count or 1)


def of_reference(cut: Cut, rows: int, analysis: Sequence[int]) -> Cut:
    """Say how to cut a reference of `rows` rows like an analysis of these chunk sizes: into chunks as large."""
    if not cut.count:
        return cut
    size = sum(analysis) / max(1, len(analysis))
    return Cut(count=max(1, round(rows / size))) if size else cut
