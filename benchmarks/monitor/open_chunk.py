"""Polls of an open month: after 50,000 new rows, and after 1,000 late labels, with the memory that each takes."""

import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sqlalchemy import Engine

from benchmarks.durable import databases, settings_of
from benchmarks.measuring import conclude, machine
from benchmarks.monitor.history import DAY, NOW, SPEC, label_frame, scored_day
from churn.columns import CHURN_MODEL
from driftline.engine.spec import Period
from driftline.objects import open_store
from driftline.store.database import in_transaction
from driftline.store.rows import labels
from driftline.store.versions import registry

MONTH = datetime(2026, 5, 1, tzinfo=UTC)
BATCH_ROWS = 100_000
NEW_ROWS, LATE_LABELS = 50_000, 1_000
RUNS = 3
POLL = """
import time
from datetime import UTC, datetime
from driftline.settings import DatabaseSettings
from driftline.store.database import make_engine
from monitoring.poll.poller import poll_once
began = time.perf_counter()
done = poll_once(make_engine(DatabaseSettings()), datetime(2026, 7, 1, tzinfo=UTC), scheduled=False)
seconds = time.perf_counter() - began
assert done.chunks > 0 and not done.failed, done
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(seconds, int(peak) / 1024, done.chunks)
"""
"""A poll in a process of its own: it prints its seconds, the most memory that it took in MB, and its chunks."""


class PollCost(NamedTuple):
    """The seconds of a poll, and the most memory that its process took, in MB."""

    seconds: float
    megabytes: float


def scored_rows(number: int, rows: int, template: pd.DataFrame) -> pd.DataFrame:
    """Return rows with scores that no other rows have, and the features of a template."""
    rng = np.random.default_rng(number)
    score = 1 / (1 + np.exp(-1.5 * rng.normal(size=rows)))
    return template.iloc[:rows].assign(
        id=[f"{number}/{row:06}" for row in range(rows)],
        probability_1=score,
        prediction=(score > 0.5).astype(int),
        label=(rng.uniform(size=rows) < score).astype(int),
    )


def poll(engine: Engine, after: str) -> PollCost:
    """Print and return the seconds and the memory of one poll, which must compute something."""
    environment = os.environ | settings_of(engine) | {"PYTHONPATH": "src"}
    printed = subprocess.run(
        [sys.executable, "-c", POLL], env=environment, check=True, capture_output=True, text=True
    ).stdout
    seconds, peak, chunks = map(float, printed.split())
    print(f"  {after:<44} {seconds:8.3f} s   {peak:6.0f} MB at most, {chunks:.0f} chunks", flush=True)
    return PollCost(seconds, peak)


def measure(engine: Engine, objects: Path, batches: int) -> float:
    """Fill a month with batches of which half have labels; return the seconds of the fastest poll after new rows."""
    spec, start = SPEC.model_copy(update={"period": Period.MONTH}), MONTH - 270 * DAY
    reference = pd.concat([scored_day(start + day * DAY, 100) for day in range(260)], ignore_index=True)
    candidate = registry.Candidate(CHURN_MODEL, spec, "0" * 64, reference, None, {})
    registry.register(engine, candidate, open_store(objects), NOW)
    version, template = registry.load(engine, CHURN_MODEL), scored_day(MONTH, BATCH_ROWS)

    def write(number: int, rows: int) -> pd.DataFrame:
        frame = scored_rows(number, rows, template)
        in_transaction(engine, lambda connection: version.store.write(connection, f"rows/{number}", frame, NOW))
        return frame

    def label(number: int, scored: pd.DataFrame) -> None:
        frame, model = label_frame(scored, NOW - DAY), version.model_number
        in_transaction(engine, lambda connection: labels.write_batch(connection, f"labels/{number}", model, frame, NOW))

    for number in range(batches):
        scored = write(number, BATCH_ROWS)
        if number < batches // 2:
            label(number, scored)
    poll(engine, f"all {batches * BATCH_ROWS:,} rows")
    seconds = []
    for number in range(batches, batches + RUNS):
        scored = write(number, NEW_ROWS)
        seconds.append(poll(engine, f"{NEW_ROWS:,} new rows").seconds)
        label(number, scored[:LATE_LABELS])
        poll(engine, f"{LATE_LABELS:,} labels")
    return min(seconds)


def main() -> None:
    """Measure a long and a short month; the batches of the long one may be given as an argument."""
    batches = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    print(f"Polls of an open month ({machine()})")
    with tempfile.TemporaryDirectory(prefix="driftline-bench-") as folder, databases() as fresh:
        long = measure(fresh(), Path(folder) / "long", batches)
        short = measure(fresh(), Path(folder) / "short", max(2, batches // 10))
    conclude("a poll after new rows in the long month, times the short one's", long / short)


if __name__ == "__main__":
    main()
