"""A poll after one new day with a million rows of history, compared with one with a hundred thousand."""

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.durable import databases
from benchmarks.measuring import Better, RatioTarget, alternate, conclude, machine, show, times
from benchmarks.monitor.history import NOW, StoredHistory, make_history
from monitoring.poll.poller import poll_once

FIRST_NEW_DAY = datetime(2026, 5, 1, tzinfo=UTC)
ROWS_A_DAY = 1_000
LONG, SHORT = 1_000, 100
"""Days of history."""
NEW_ROWS = (1_000, 10_000)
RUNS = 11
UNMEASURED = 4
"""Polls until all chunks of a poll, back to the label delay, have the new size."""
AIM = RatioTarget(1.2, Better.LOWER)


@dataclass
class PollSeries:
    """Polls after new days on one history; `reads` holds the rows that the server read in each."""

    history: StoredHistory
    reads: list[float] = field(default_factory=list)

    def after_a_day(self, rows: int) -> float:
        """Write one more day, and return the seconds of the poll after it, whose effects are verified."""
        self.history.add_day(rows)
        read, began = self._rows_read(), time.perf_counter()
        polled = poll_once(self.history.engine, NOW, scheduled=True)
        seconds = time.perf_counter() - began
        self.reads.append(self._rows_read() - read)
        assert (polled.batches, polled.chunks, polled.failed) == (2, 2, 0), polled
        return seconds

    def _rows_read(self) -> int:
        with self.history.engine.connect() as connection:
            counters = connection.exec_driver_sql("SHOW GLOBAL STATUS LIKE 'Handler_read%%'")
            return sum(int(value) for _, value in counters)


def compare(histories: Mapping[str, StoredHistory], rows: int) -> None:
    """Print how long a poll after `rows` new rows takes with the longer history (the first) and the shorter one."""
    print(f"  after a day of {rows:,} rows:")
    polls = {name: PollSeries(history) for name, history in histories.items()}
    seconds = alternate({name: partial(runs.after_a_day, rows) for name, runs in polls.items()}, RUNS, UNMEASURED)
    show(seconds)
    for name, runs in polls.items():
        print(f"  {name:<44} {median(runs.reads[-RUNS:]):8,.0f} rows read by the server")
    conclude(f"a poll after {rows:,} new rows, times the shorter history's", times(*seconds.values()), AIM)


def main() -> None:
    """Print both ratios."""
    print(f"A poll after one new day ({machine()})")
    with tempfile.TemporaryDirectory(prefix="driftline-bench-") as folder, databases() as fresh:

        def history_of(days: int) -> StoredHistory:
            return make_history(fresh(), Path(folder), days, ROWS_A_DAY, FIRST_NEW_DAY)

        long = history_of(LONG)
        for rows in NEW_ROWS:
            compare(
                {f"{LONG * ROWS_A_DAY:,} rows of history": long, f"{SHORT * ROWS_A_DAY:,}": history_of(SHORT)}, rows
            )


if __name__ == "__main__":
    main()
