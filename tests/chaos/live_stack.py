"""A stack whose records are scored as they arrive, whose processes are killed at random, and what stands at its end."""

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests
from sqlalchemy import func, select

from churn.columns import Cdr, Processed, Topic
from churn.tables import cdr, churn_predictions
from driftline.errors import Unavailable
from driftline.store.database import translated
from driftline.store.tables import pending_batches
from stack import paths
from stack.demo.plan import Plan
from stack.errors import StackError
from stack.servers import processes
from stack.services.environments import environment_for
from stack.supervision import control
from stack.supervision.supervisor import ProcessCommand
from stack.testing.committed_messages import committed_messages
from stack.testing.isolated_stack import IsolatedStack, chunks

PAUSE_SECONDS = 4.0
"""The longest time between two kills."""
PATIENCE_SECONDS = 3_600
WORKERS = {"score-stream": ("jobs", ("pyspark/score_stream.py",)), "poller": ("monitor", ("-m", "monitoring", "poll"))}
"""The processes that `make up` does not start: the database user of each, and its command."""
VICTIMS = ("mariadb", "kafka", "simulator", "monitor", "serving", *WORKERS)


def victims(kills: int, draws: random.Random) -> Iterator[str]:
    """Yield the processes to kill in random order, each about as often as the others."""
    for first in range(0, kills, len(VICTIMS)):
        yield from draws.sample(VICTIMS, min(len(VICTIMS), kills - first))


@dataclass
class LiveStack:
    """A stack whose records are scored as they arrive, and how often each of its processes was killed."""

    isolated: IsolatedStack
    plan: Plan
    kills: Counter[str] = field(default_factory=Counter)

    def begin(self, training: Sequence[str] = ()) -> None:
        """Start the stack, train a model, and start the workers under the supervisor."""
        self.isolated.stack("up", "--any-port")
        history = (sys.executable, "-m", "flaskapp.load_history", *self.plan.history_arguments)
        self.isolated.run(history, self.isolated.role_environment("simulator"))
        self.isolated.job("pyspark/prepare_data.py", *self.plan.history_days)
        self.isolated.job("pyspark/train_model.py", *self.plan.history_days, *training)
        for name in WORKERS:
            control.start(self.isolated.site.home, self._command(name))
            control.watch(self.isolated.site.home, self._command(name))

    def _command(self, name: str) -> ProcessCommand:
        role, arguments = WORKERS[name]
        environment = environment_for(role, self.isolated.site) | {"SPARK_DRIVER_MEMORY": "1g"}
        return ProcessCommand(name, (sys.executable, *arguments), environment, str(paths.ROOT))

    def stream(self, kills: int, draws: random.Random, *, interval: float = 0.0, restarts: float = 0.07) -> None:
        """Stream the plan's days, kill processes at random meanwhile, and wait until all is settled.

        There are `interval` seconds between two days. After a kill, with the probability `restarts`, all processes that
        wait for their next start are started.
        """
        request = self.plan.stream_request() | {"interval": interval}
        self.isolated.call("simulator", "POST", "/start_stream", request).raise_for_status()
        for victim in victims(kills, draws):
            self._kill_soon(victim, draws)
            if draws.random() < restarts:
                self._start_at_once()
        self._start_at_once()
        eventually(self._is_settled, "every record is predicted, published and monitored")
        eventually(lambda: self.isolated.call("monitor", "POST", "/run-monitoring").ok, "the last poll")

    def _kill_soon(self, victim: str, draws: random.Random) -> None:
        """Kill a process after a random time, or as soon as it runs again."""
        while True:
            time.sleep(draws.uniform(0, PAUSE_SECONDS))
            running = processes.find(self.isolated.site.home, victim)
            if running:
                with suppress(ProcessLookupError):
                    os.kill(running.pid, signal.SIGKILL)
                    self.kills[victim] += 1
                    return

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
        messages = committed_messages(self.isolated.site.bootstrap_servers, topic)
        return [json.loads(message.value())[field_name] for message in messages]


def eventually(is_true: Callable[[], bool], condition: str) -> None:
    """Wait until a condition holds; a request that a service does not answer is sent again."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with suppress(requests.ConnectionError, StackError):
            if is_true():
                return
        time.sleep(1.0)
    raise AssertionError(f"Not within {PATIENCE_SECONDS} s: {condition}")


@contextmanager
def live(folder: Path, plan: Plan, training: Sequence[str] = ()) -> Iterator[LiveStack]:
    """Run a stack in a folder, whose model was trained on the plan's history."""
    stack = LiveStack(IsolatedStack(folder / "var"), plan)
    try:
        stack.begin(training)
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

    @classmethod
    def of(cls, stack: LiveStack) -> "StreamOutcome":
        """Read what a stack holds now."""
        return cls(
            stack.isolated.content(cdr),
            stack.isolated.content(churn_predictions),
            {chunk["start"]: summary_of(chunk) for chunk in chunks(stack.isolated)},
            stack.messages(Topic.CDR_RECORDS, "record_id"),
            stack.messages(Topic.MODEL_PREDICTIONS, "id"),
            stack.kills,
        )

    def require_each_once(self, plan: Plan) -> str:
        """Check that each streamed record is published and predicted once, and each prediction published once."""
        streamed = self.records[self.records[Cdr.DATE].dt.date >= plan.stream_first]
        assert sorted(self.published_records) == sorted(streamed[Cdr.RECORD_ID])
        assert sorted(self.published_predictions) == sorted(self.predictions["id"])
        assert len(self.predictions) == len(streamed)
        return (
            f"{len(streamed):,} records streamed, {len(self.published_records):,} published,"
            f" {len(self.predictions):,} predicted, {len(self.published_predictions):,} of these published,"
            f" {len(self.chunks)} chunks; {self.kills.total()} kills: {dict(self.kills)}"
        )

    def require_same(self, undisturbed: "StreamOutcome") -> None:
        """Check that records, predictions and monitoring results are those of an undisturbed run."""
        pd.testing.assert_frame_equal(self.records, undisturbed.records)
        pd.testing.assert_frame_equal(self.predictions, undisturbed.predictions)
        require_same_chunks(self.chunks, undisturbed.chunks)


def require_same_chunks(chunks: dict[str, Any], undisturbed: dict[str, Any]) -> None:
    """Check that chunks say the same; sums of other batches differ in the last digits."""
    assert chunks.keys() == undisturbed.keys()
    for start, chunk in undisturbed.items():
        assert chunks[start]["results"] == pytest.approx(chunk["results"], rel=1e-9, nan_ok=True)
        assert chunks[start] | {"results": None} == chunk | {"results": None}


def summary_of(chunk: dict[str, Any]) -> dict[str, Any]:
    """Return the rows, labels, verdict and results of a chunk, without its revisions and provenance."""
    results = {(row["kind"], row["method"], row["subject"]): row["value"] for row in chunk["results"]}
    return {"rows": chunk["rows"], "labelled": chunk["labelled"], "verdict": chunk["verdict"], "results": results}
