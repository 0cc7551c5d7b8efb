"""Every process of the live path is killed at random while records stream: each record and prediction stands once.

`make chaos` runs it. A second stack streams the same days undisturbed, and both must end with the same records,
predictions and monitoring results.
"""

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition
from sqlalchemy import func, select

from churn.columns import Cdr, Processed, Topic
from churn.tables import cdr, churn_predictions
from driftline.errors import Unavailable
from driftline.store.database import translated
from driftline.store.tables import pending_batches
from stack import paths
from stack.demo.plan import Plan, Scenario
from stack.errors import StackError
from stack.servers import processes
from stack.services.environments import environment_for
from stack.supervision import control
from stack.supervision.supervisor import ProcessCommand
from stack.testing.isolated_stack import IsolatedStack, chunks

RECORDS, KILLS = int(os.environ.get("CHAOS_RECORDS", "200000")), int(os.environ.get("CHAOS_KILLS", "200"))
SEED = int(os.environ.get("CHAOS_SEED", "1"))
SUBSCRIBERS = max(100, min(5_000, RECORDS // 10))
PAUSE_SECONDS = 4.0
"""The longest time between two kills."""
PATIENCE_SECONDS = 3_600
HISTORY_DAYS = 50
WORKERS = {"score-stream": ("jobs", ("pyspark/score_stream.py",)), "poller": ("monitor", ("-m", "monitoring", "poll"))}
"""The processes that `make up` does not start: the database user of each, and its command."""
VICTIMS = ("mariadb", "kafka", "simulator", "monitor", "serving", *WORKERS)
TRAINING = {"candidates": [{"trees": 3, "depth": 3}], "minimum_class_rows": 5}


@dataclass
class LiveStack:
    """A stack whose records are scored as they arrive, and how often each of its processes was killed."""

    isolated: IsolatedStack
    plan: Plan
    kills: Counter[str] = field(default_factory=Counter)

    def begin(self, folder: Path) -> None:
        """Start the stack, train a model, and start the workers under the supervisor."""
        self.isolated.stack("up", "--any-port")
        history = (sys.executable, "-m", "flaskapp.load_history", *self.plan.history_arguments)
        self.isolated.run(history, self.isolated.role_environment("simulator"))
        self.isolated.job("pyspark/prepare_data.py", *self.plan.history_days)
        training = folder / "training.json"
        training.write_text(json.dumps(json.loads((paths.ROOT / "pyspark" / "training.json").read_text()) | TRAINING))
        self.isolated.job("pyspark/train_model.py", *self.plan.history_days, "--training", str(training))
        for name in WORKERS:
            control.start(self.isolated.site.home, self._command(name))
            control.watch(self.isolated.site.home, self._command(name))

    def _command(self, name: str) -> ProcessCommand:
        role, arguments = WORKERS[name]
        environment = environment_for(role, self.isolated.site) | {"SPARK_DRIVER_MEMORY": "1g"}
        return ProcessCommand(name, (sys.executable, *arguments), environment, str(paths.ROOT))

    def stream(self, kills: int, draws: random.Random) -> None:
        """Stream the plan's days at full speed, kill processes at random meanwhile, and wait until all is settled."""
        self.isolated.call("simulator", "POST", "/start_stream", self.plan.stream_request()).raise_for_status()
        while self.kills.total() < kills:
            time.sleep(draws.uniform(0, PAUSE_SECONDS))
            self._kill(draws.choice(VICTIMS))
            if draws.random() < len(VICTIMS) / 100:
                self._start_at_once()
        self._start_at_once()
        eventually(self._is_settled, "every record is predicted, published and monitored")
        eventually(lambda: self.isolated.call("monitor", "POST", "/run-monitoring").ok, "the last poll")

    def _kill(self, victim: str) -> None:
        running = processes.find(self.isolated.site.home, victim)
        if running:
            with suppress(ProcessLookupError):
                os.kill(running.pid, signal.SIGKILL)
                self.kills[victim] += 1

    def _start_at_once(self) -> None:
        """Start what waits for its next start, as an operator would: a process that is killed often waits for long."""
        with suppress(AssertionError):  # something may be killed right now
            self.isolated.stack("up")

    def _is_settled(self) -> bool:
        """Return whether the stream has finished, nothing is pending and every record is predicted."""
        with suppress(Unavailable), translated(), self.isolated.engine().connect() as connection:
            state = self.isolated.call("simulator", "GET", "/stream").json()["state"]
            pending = connection.execute(select(func.count()).select_from(pending_batches)).scalar_one()
            days = self.plan.stream_first, self.plan.stream_last
            recorded, predicted = func.date(cdr.c[Cdr.DATE]), churn_predictions.c[Processed.DATE]
            counts = [
                connection.execute(select(func.count()).select_from(table).where(day.between(*days))).scalar_one()
                for table, day in ((cdr, recorded), (churn_predictions, predicted))
            ]
            return state == "finished" and pending == 0 and counts[0] == counts[1] > 0
        return False

    def end(self) -> None:
        """Stop the workers, then everything."""
        for name in WORKERS:
            control.forget(self.isolated.site.home, name)
            running = processes.find(self.isolated.site.home, name)
            if running:
                processes.stop(self.isolated.site.home, running, 60)
        self.isolated.stack("down")

    def messages(self, topic: str, field_name: str) -> list[str]:
        """Return a field of all messages that a reader of committed ones sees."""
        options = {
            "bootstrap.servers": self.isolated.site.bootstrap_servers,
            "group.id": "chaos",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
        consumer = Consumer(options)
        partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
        values, unread = [], set(partitions)
        while unread:
            for message in consumer.consume(10_000, 1.0):
                if message.error() is None:
                    values.append(json.loads(message.value())[field_name])
                elif message.error().code() == KafkaError._PARTITION_EOF:
                    unread.discard(message.partition())
        consumer.close()
        return values


def eventually(is_true: Callable[[], bool], condition: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with suppress(requests.ConnectionError, StackError):
            if is_true():
                return
        time.sleep(1.0)
    raise AssertionError(f"Not within {PATIENCE_SECONDS} s: {condition}")


@contextmanager
def live(folder: Path, plan: Plan) -> Iterator[LiveStack]:
    stack = LiveStack(IsolatedStack(folder / "var"), plan)
    try:
        stack.begin(folder)
        yield stack
    finally:
        stack.end()


@dataclass(frozen=True)
class StreamOutcome:
    """What stands at the end of a run."""

    records: pd.DataFrame
    predictions: pd.DataFrame
    chunks: dict[str, Any]
    published_records: list[str]
    published_predictions: list[str]
    kills: Counter[str]


def run(folder: Path, plan: Plan, kills: int) -> StreamOutcome:
    with live(folder, plan) as stack:
        stack.stream(kills, random.Random(SEED))
        return StreamOutcome(
            stack.isolated.content(cdr),
            stack.isolated.content(churn_predictions),
            {chunk["start"]: summary_of(chunk) for chunk in chunks(stack.isolated)},
            stack.messages(Topic.CDR_RECORDS, "record_id"),
            stack.messages(Topic.MODEL_PREDICTIONS, "id"),
            stack.kills,
        )


def summary_of(chunk: dict[str, Any]) -> dict[str, Any]:
    """Return what a chunk says, whatever it was computed from on the way."""
    results = {(row["kind"], row["method"], row["subject"]): row["value"] for row in chunk["results"]}
    return {"rows": chunk["rows"], "labelled": chunk["labelled"], "verdict": chunk["verdict"], "results": results}


@pytest.fixture(scope="module")
def plan() -> Plan:
    days = max(4, RECORDS // SUBSCRIBERS)
    scenario = Scenario(
        history_days=HISTORY_DAYS, stream_days=days, subscribers=SUBSCRIBERS, drifts=(), last_day="2026-10-31"
    )
    return Plan.ending(scenario, date.max)


def test_killed_at_random_everything_stands_once(tmp_path: Path, plan: Plan) -> None:
    for name in ("undisturbed", "killed"):
        (tmp_path / name).mkdir()
    undisturbed = run(tmp_path / "undisturbed", plan, 0)
    killed = run(tmp_path / "killed", plan, KILLS)
    streamed = killed.records[killed.records[Cdr.DATE].dt.date >= plan.stream_first]
    counts = (
        f"{len(streamed):,} records streamed, {len(killed.published_records):,} published,"
        f" {len(killed.predictions):,} predicted, {len(killed.published_predictions):,} of these published,"
        f" {len(killed.chunks)} chunks; {killed.kills.total()} kills: {dict(killed.kills)} (seed {SEED})"
    )
    print(counts)  # noqa: T201  # `make chaos` shows it
    pd.testing.assert_frame_equal(killed.records, undisturbed.records)
    pd.testing.assert_frame_equal(killed.predictions, undisturbed.predictions)
    assert sorted(killed.published_records) == sorted(streamed[Cdr.RECORD_ID])
    assert sorted(killed.published_predictions) == sorted(killed.predictions["id"])
    assert killed.chunks.keys() == undisturbed.chunks.keys()
    for start, chunk in undisturbed.chunks.items():
        results = killed.chunks[start].pop("results")
        assert results == pytest.approx(chunk.pop("results"), rel=1e-9, nan_ok=True)
        assert killed.chunks[start] == chunk
