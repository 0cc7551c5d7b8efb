"""How rows are cut into chunks: by calendar periods, a number of rows, or a number of chunks. No I/O here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from driftline.engine.chunking.chunks import count_sizes, row_sizes
from driftline.engine.spec import Period
from driftline.errors import InvalidInput

ENOUGH_CHUNKS = 8
"""A reference should have at least this many chunks."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Exactly one of a `period`, a number of `rows` in each chunk, or a `count` of chunks in the analysis."""

    period: Period | None = None
    rows: int | None = None
    count: int | None = None

    @classmethod
    def read(cls, text: Any) -> Self | None:
        """Parse `1h`, `1d`, `1w`, `1mo`, `1q`, `rows:5000` or `count:20`; raise InvalidInput for other text."""
        if text is None:
            return None
        if text in set(Period):
            return cls(period=Period(text))
        match = re.fullmatch(r"(rows|count):([1-9]\d{0,17})", str(text))
        if not match:
            periods = ", ".join(Period)
            msg = f"unknown chunk {str(text)!r}; pass a period ({periods}), rows:5000 or count:20"
            raise InvalidInput(msg)
        return cls(rows=int(match[2])) if match[1] == "rows" else cls(count=int(match[2]))

    @property
    def text(self) -> str:
        """The cut in the syntax of the option."""
        return str(self.period) if self.period else f"rows:{self.rows}" if self.rows else f"count:{self.count}"

    def sizes(self, total: int) -> tuple[int, ...]:
        """Return the number of rows of each chunk of `total` rows, in order; undefined for periods."""
        return row_sizes(total, self.rows) if self.rows else count_sizes(total, self.count or 1)


def cut_of_reference(cut: Cut, rows: int, analysis: Sequence[int]) -> Cut:
    """Return the cut of a reference of `rows` rows whose chunks are as large as those of the analysis."""
    if not cut.count:
        return cut
    size = sum(analysis) / max(1, len(analysis))
    return Cut(count=max(1, round(rows / size))) if size else cut
