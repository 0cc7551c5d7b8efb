"""A month that Spark computes with one and with two executor threads, against one poll, and whether results agree."""

import os
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Engine, delete, select

from benchmarks.durable import databases, settings_of
from benchmarks.measuring import conclude, machine
from benchmarks.monitor.history import DAY, NOW, SPEC, label_frame, scored_day
from benchmarks.monitor.open_chunk import BATCH_ROWS, MONTH, poll, scored_rows
from churn.columns import CHURN_MODEL, FEATURES
from driftline.engine.results import Method
from driftline.engine.spec import ColumnSpec, Period
from driftline.objects import open_store
from driftline.store.database import in_transaction
from driftline.store.polling import pending_chunks
from driftline.store.rows import labels
from driftline.store.tables import (
    chunk_revisions,
    chunk_states,
    pending_batches,
    pending_events,
    results,
    verdict_events,
    verdicts,
)
from driftline.store.version_key import VersionKey
from driftline.store.versions import registry
from driftline.store.versions.registry import Version

COMPUTED = (chunk_revisions, chunk_states, results, verdicts, verdict_events, pending_events, pending_batches)


def widen(frame: pd.DataFrame, features: int) -> pd.DataFrame:
    """Return the rows with as many further numbers as they lack to have so many features."""
    rng = np.random.default_rng(len(frame))
    numbers = {f"number_{n}": rng.gamma(2.0, 100.0, len(frame)).round(2) for n in range(features - len(FEATURES))}
    return pd.concat([frame, pd.DataFrame(numbers, index=frame.index)], axis=1)


def fill(engine: Engine, objects: Path, batches: int, features: int) -> Version:
    """Register the model and fill a month with batches, of which half have labels."""
    start = MONTH - 270 * DAY
    days = [scored_day(start + day * DAY, 100) for day in range(260)]
    reference = widen(pd.concat(days, ignore_index=True), features)
    further = tuple(ColumnSpec(name=str(name)) for name in reference if str(name).startswith("number_"))
    spec = SPEC.model_copy(update={"period": Period.MONTH, "columns": (*SPEC.columns, *further)})
    candidate = registry.Candidate(CHURN_MODEL, spec, "0" * 64, reference, None, {})
    registry.register(engine, candidate, open_store(objects), NOW)
    version, template = registry.load(engine, CHURN_MODEL), widen(scored_day(MONTH, BATCH_ROWS), features)
    for number in range(batches):
        scored = scored_rows(number, BATCH_ROWS, template)

        def write(connection: Connection, number: int = number, scored: pd.DataFrame = scored) -> None:
            version.store.write(connection, f"rows/{number}", scored, NOW)
            if number % 2:
                late_labels = label_frame(scored, NOW - DAY)
                labels.write_batch(connection, f"labels/{number}", version.model_number, late_labels, NOW)

        in_transaction(engine, write)
    return version


def forget(engine: Engine, version: Version) -> None:
    """Delete what was computed, and let every chunk wait again."""

    def work(connection: Connection) -> None:
        for table in COMPUTED:
            connection.execute(delete(table))
        pending_chunks.queue_all(connection, VersionKey(version.model_number, version.number), version.spec)

    in_transaction(engine, work)


def spark(engine: Engine, master: str) -> float:
    """Run the job as a process on a master; return its seconds, the start of Spark included."""
    environment = os.environ | settings_of(engine) | {"SPARK_MASTER": master}
    began = time.perf_counter()
    subprocess.run([sys.executable, "pyspark/monitor_history.py"], env=environment, check=True)
    seconds = time.perf_counter() - began
    print(f"  {master:<44} {seconds:8.3f} s", flush=True)
    return seconds


def numbers(engine: Engine) -> list[tuple[object, ...]]:
    """Return every stored number but those that depend on how rows are grouped."""
    exact = results.c.method != Method.PCA_RECONSTRUCTION.value
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(results).where(exact).order_by(*results.primary_key))]


def main() -> None:
    """Measure a month of batches of 100,000 rows."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("batches", type=int, nargs="?", default=50, help="batches of 100,000 rows")
    parser.add_argument("--features", type=int, default=len(FEATURES))
    options = parser.parse_args()
    print(f"A month of {options.batches * BATCH_ROWS:,} rows with {options.features} features on Spark ({machine()})")
    with tempfile.TemporaryDirectory(prefix="driftline-bench-") as folder, databases() as fresh:
        engine = fresh()
        version = fill(engine, Path(folder), options.batches, options.features)
        seconds, computed = [], []
        for master in ("local[1]", "local[2]"):
            forget(engine, version)
            seconds.append(spark(engine, master))
            computed.append(numbers(engine))
        forget(engine, version)
        poll(engine, "one poll")
        computed.append(numbers(engine))
    print(f"  {len(computed[0]):,} numbers; all equal: {computed[0] == computed[1] == computed[2]}")
    conclude("local[1] times local[2]", seconds[0] / seconds[1])


if __name__ == "__main__":
    main()
