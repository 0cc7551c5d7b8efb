"""The age of the newest row of a chunk when the chunk ends. Merges exactly. No I/O here."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd

from driftline.engine.chunking.chunks import Chunk
from driftline.engine.chunking.event_times import require_aware
from driftline.engine.outcome import Outcome, undefined
from driftline.engine.results import EVENT_TIME


@dataclass(frozen=True, slots=True)
class NewestRow:
    """The newest event time of a chunk's rows, in UTC; None where there are no rows."""

    rows: int
    at: datetime | None

    def merge(self, other: "NewestRow") -> "NewestRow":
        """Keep the newer time of two parts of a chunk."""
        return NewestRow(
            self.rows + other.rows, max((at for at in (self.at, other.at) if at is not None), default=None)
        )


def summarize(frame: pd.DataFrame) -> NewestRow:
    """Find the newest row of some or all rows of a chunk by `event_time`. Raises InvalidInput for naive times."""
    times = frame[EVENT_TIME]
    if not len(times):
        return NewestRow(0, None)
    require_aware(times)
    return NewestRow(len(times), times.max().to_pydatetime(warn=False).astimezone(UTC))


def finish(summary: NewestRow, chunk: Chunk | None) -> Outcome:
    """Return the seconds from the newest row to the chunk's end; undefined without `chunk`, or for a row beyond it."""
    if summary.at is None or chunk is None:
        return undefined(
            summary.rows, "the end of the chunk is unknown; pass the chunk to compute the age of its newest row"
        )
    if summary.at >= chunk.end:
        return undefined(summary.rows, f"the newest row, of {summary.at.isoformat()}, is not in this chunk")
    return Outcome((chunk.end - summary.at).total_seconds(), summary.rows)
