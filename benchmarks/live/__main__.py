"""Event to prediction in MySQL at 2,000 records a second, with a plain insert of the same rows beside it."""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import pandas as pd
from sqlalchemy import Engine, func, select

from benchmarks.durable import databases, settings_of
from benchmarks.live.baseline import plain_inserts
from benchmarks.live.feed import INTERVAL, RECORDS, SEED
from benchmarks.live.observer import Observer
from benchmarks.live.processor_time import processor_seconds
from benchmarks.live.timeline import CREATED, STAGES, STORED, micro_batches, timeline, wait_for
from benchmarks.measuring import machine
from churn.ledger import ChurnBatchKind
from churn.tables import churn_predictions
from driftline.clock import utc_now
from driftline.settings import KafkaSettings
from driftline.store.database import in_transaction
from flaskapp.records import RecordBatch, write_records
from flaskapp.world import Parameters, World
from stack import paths
from stack.servers.topics import create_topics
from stack.testing.temporary_servers import kafka_broker

DAY = timedelta(days=1)
TRAINED_DAYS, TRAINED_SUBSCRIBERS = 50, 500
WINDOW_DAYS = 6
"""The days before today on which the streamed subscribers have records too."""
QUANTILES = (0.5, 0.95, 0.99)
ROWS_OF_BATCH = 50_000


def main() -> None:
    """Print the latencies and their stages."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--warm-up", type=int, default=90, help="seconds")
    parser.add_argument("--seconds", type=int, default=60, help="measured seconds")
    parser.add_argument("--keep", type=Path, help="folder of Spark's event log")
    arguments = parser.parse_args()
    print(f"Event to prediction in MySQL ({machine()})", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="driftline-bench-") as name,
        kafka_broker(_folder(Path(name) / "kafka")) as broker,
        databases() as fresh,
    ):
        create_topics(KafkaSettings.plain(broker.bootstrap_servers))
        engine, folder = fresh(), Path(name)
        environment = environment_of(engine, broker.bootstrap_servers, folder, arguments.keep)
        measure(engine, environment, folder, arguments.warm_up, arguments.seconds)


def _folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def environment_of(engine: Engine, bootstrap_servers: str, folder: Path, event_log: Path | None) -> dict[str, str]:
    """Return the environment of the processes; Spark keeps its log of all micro-batches."""
    conf = _folder(folder / "conf")
    lines = ["spark.sql.streaming.minBatchesToRetain 100000"]
    if event_log is not None:
        event_log.mkdir(parents=True, exist_ok=True)
        lines += ["spark.eventLog.enabled true", f"spark.eventLog.dir {event_log.absolute().as_uri()}"]
    (conf / "spark-defaults.conf").write_text("\n".join(lines) + "\n")
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
        "DRIFTLINE_VAR": str(folder / "var"),
        "SPARK_CONF_DIR": str(conf),
    }
    return os.environ | settings_of(engine) | settings


def measure(engine: Engine, environment: dict[str, str], folder: Path, warm_up: int, seconds: int) -> None:
    """Train, stream and print."""
    batches = round((warm_up + seconds + 30) / INTERVAL)
    subscribers = round(batches * RECORDS * 1.1)
    today = datetime.now(UTC).date()
    load_history(engine, today, subscribers)
    train(environment, today)
    observer = Observer(engine)
    with running("pyspark/score_stream.py", environment=environment, log=folder / "score.log") as scoring:
        checkpoint = folder / "var" / "checkpoints" / "score_stream"
        wait_for(lambda: scoring.poll() is not None or (checkpoint / "metadata").exists(), 120, "Spark")
        assert scoring.poll() is None, (folder / "score.log").read_text()
        observer.start()
        feed = ("-m", "benchmarks.live.feed", "--subscribers", str(subscribers), "--batches", str(batches))
        with running(*feed, environment=environment, log=folder / "feed.log"):
            wait_for(lambda: count(engine) > 0, 120, "the first prediction")
            time.sleep(warm_up)
            first, before = time.time(), processor_seconds()
            print(f"  warm; {machine()}", flush=True)
            time.sleep(seconds)
            last, after = time.time(), processor_seconds()
            print(f"  measured; {machine()}", flush=True)
            time.sleep(8)
        baseline = plain_inserts(engine, observer.engine)
    observer.stop()
    rows = timeline(engine, environment["KAFKA_BOOTSTRAP_SERVERS"], checkpoint, observer.seen)
    measured = rows[rows[CREATED].between(first, last)]
    show(measured, baseline, checkpoint, first, last)
    used = {part: (seconds - before.get(part, 0.0)) / len(measured) for part, seconds in after.items()}
    parts = sorted(used.items(), key=lambda item: -item[1])
    print("  processor time, ms a record: " + ", ".join(f"{part} {1000 * seconds:.3f}" for part, seconds in parts))


def show(rows: pd.DataFrame, baseline: pd.Series, checkpoint: Path, first: float, last: float) -> None:
    """Print the quantiles."""
    assert rows.notna().all(axis=None), rows.isna().sum()
    starts = [start for start in micro_batches(checkpoint)[0] if first <= start <= last]
    print(f"  {len(rows):,} records in {last - first:.0f} s: {len(rows) / (last - first):,.0f}/s;", end=" ")
    print(f"{len(starts)} micro-batches, one in {(last - first) / max(len(starts), 1):.2f} s")
    line("record to stored prediction", rows[STORED] - rows[CREATED])
    for title, (since, until) in STAGES.items():
        line(f"  {title}", rows[until] - rows[since])
    line("plain insert of the same rows", baseline)


def line(title: str, seconds: pd.Series) -> None:
    """Print the quantiles of a stage."""
    values = "  ".join(f"p{round(100 * share)} {seconds.quantile(share):6.3f}" for share in QUANTILES)
    print(f"  {title:<42} {values}  max {seconds.max():6.3f} s", flush=True)


def load_history(engine: Engine, today: date, subscribers: int) -> None:
    """Store a history to train on, and then the days before today of the streamed subscribers."""
    began = today - (WINDOW_DAYS + TRAINED_DAYS) * DAY
    small = World(Parameters(seed=SEED - 1, start_date=began, subscribers=TRAINED_SUBSCRIBERS))
    large = World(Parameters(seed=SEED, start_date=today - WINDOW_DAYS * DAY, subscribers=subscribers))
    days = [(small, began + n * DAY) for n in range(TRAINED_DAYS)]
    days += [(large, today - n * DAY) for n in range(WINDOW_DAYS, 0, -1)]
    for world, day in days:
        frame = world.records_of_day(day, day + 3 * DAY)
        frame["record_id"] = f"history:{day}:" + frame["number"].astype(str)
        for first in range(0, len(frame), ROWS_OF_BATCH):
            batch = RecordBatch(
                f"history/{day}/{first}", ChurnBatchKind.HISTORY, frame.iloc[first : first + ROWS_OF_BATCH]
            )
            in_transaction(engine, partial(write_records, batch=batch, now=utc_now()))


def train(environment: dict[str, str], today: date) -> None:
    """Prepare the history and train the model on it, with the configuration of the jobs."""
    last = today - (WINDOW_DAYS + 1) * DAY
    days = ("--start-date", str(last - (TRAINED_DAYS - 1) * DAY), "--end-date", str(last))
    for script in ("prepare_data", "train_model"):
        command = (sys.executable, f"pyspark/{script}.py", *days)
        done = subprocess.run(command, cwd=paths.ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def running(*arguments: str, environment: dict[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program of this Python until the end of the block."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            (sys.executable, *arguments), cwd=paths.ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def count(engine: Engine) -> int:
    """Return the number of predictions."""
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(churn_predictions)).scalar_one())


if __name__ == "__main__":
    main()
