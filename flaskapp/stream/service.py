"""The running stream: started, stopped and watched from requests, written and relayed in two threads."""

import logging
import threading
from dataclasses import dataclass
from functools import lru_cache
from uuid import uuid4

from sqlalchemy import Connection, Engine

from churn import migrate
from driftline.clock import Clock
from driftline.errors import DatabaseUnavailable, DriftlineError, Unavailable
from driftline.store.database import in_transaction
from flaskapp.relay.publisher import Publisher
from flaskapp.relay.relay import Relay
from flaskapp.stream import runs as stream_runs
from flaskapp.stream.plan import StreamPlan
from flaskapp.stream.rate import Rate
from flaskapp.stream.request import read_start
from flaskapp.stream.runs import Run, RunState
from flaskapp.stream.source import StreamSource
from flaskapp.stream.writer import write_next
from flaskapp.worker import Worker

log = logging.getLogger(__name__)

RELAY_SECONDS = 1.0
"""How often the relay looks for batches that nobody told it of."""


@dataclass(frozen=True)
class Status:
    """How the newest stream is (None: there never was one), and how many batches the relay has still to publish."""

    run: Run | None
    unpublished: int
    pending: int


@lru_cache(maxsize=2)
def _source(plan: str) -> StreamSource:
    return StreamSource(StreamPlan.from_json(plan))


class Streaming:
    """One stream at a time, kept in MySQL: a simulator that starts finds the one that ran and goes on with it."""

    def __init__(self, engine: Engine, publisher: Publisher, clock: Clock) -> None:
        """Take the database, the publisher and the clock; the threads begin with `start_work`."""
        self.engine, self.publisher, self.clock = engine, publisher, clock
        self.writer = Worker("writer", self._write_step)
        self.relay = Worker("relay", self._relay_step)
        self.rate = Rate()
        self._relay = Relay(engine, publisher)
        self._starting = threading.Lock()
        self._last_status = Status(None, 0, 0)

    def start_work(self) -> None:
        """Begin to write and to relay; goes on with what an earlier process left."""
        self.writer.start()
        self.relay.start()

    def close(self) -> None:
        """End both threads after the step under way."""
        self.writer.close()
        self.relay.close()
        self._relay.close()

    def require_ready(self) -> None:
        """Check that MySQL and Kafka are there, migrated and with topics.

        Raises:
            Unavailable: one is not.
        """
        migrate.require_current(self.engine)
        self.publisher.probe()

    def start(self, body: object) -> tuple[Run, str]:
        """Start the stream that a request's decoded JSON asks for; give it and what to tell the user.

        Raises:
            InvalidInput: all faults of the request. StreamRunning: one is running.
            Unavailable: MySQL or Kafka is away.
        """
        now = self.clock()
        request, drifts = read_start(body, now.date())
        plan = StreamPlan.of(request, drifts, now, uuid4())
        self.require_ready()
        with self._starting:
            run = in_transaction(self.engine, lambda connection: stream_runs.begin(connection, plan, now))
        self.rate = Rate()
        self.writer.wake()
        return run, message(run, plan)

    def stop(self) -> Run | None:
        """Stop the stream that runs, after the batch under way; give it, or None where none runs."""
        now = self.clock()
        stopped = in_transaction(self.engine, lambda connection: stream_runs.stop(connection, now))
        self.writer.wake()
        return stopped

    def status(self) -> Status:
        """Read how the stream is; while MySQL is away, as it was last known."""
        try:
            self._last_status = self._read_status()
        except DatabaseUnavailable as error:
            log.debug("The status is the last known one: %s", error)
        return self._last_status

    def _read_status(self) -> Status:
        def read(connection: Connection) -> Status:
            run = stream_runs.newest(connection)
            mine = stream_runs.unpublished(connection, run) if run else 0
            return Status(run, mine, stream_runs.unpublished(connection))

        return in_transaction(self.engine, read)

    def _write_step(self) -> float | None:
        run = in_transaction(self.engine, stream_runs.running)
        if run is None:
            return None
        try:
            pause = self._pause(run)
            return pause if pause > 0 else self._write(run)
        except Unavailable:
            raise
        except Exception as error:
            log.exception("The stream %s cannot go on", run.run_id)
            self._fail(run, reason(error))
            return 0.0

    def _write(self, run: Run) -> float:
        after = write_next(self.engine, run.run_id, _source, self.clock())
        self.rate.add(self.clock(), after.records - run.records)
        self.relay.wake()
        return self._pause(after) if after.state is RunState.RUNNING else 0.0

    def _fail(self, run: Run, message: str) -> None:
        now = self.clock()
        in_transaction(self.engine, lambda connection: stream_runs.fail(connection, run.run_id, message, now))

    def _pause(self, run: Run) -> float:
        return run.pause(_source(run.plan).plan.interval, self.clock())

    def _relay_step(self) -> float:
        try:
            if not self._relay.is_open:
                self._relay.open()
            relayed = self._relay.publish_next()
        except DatabaseUnavailable:
            raise
        except Exception:
            self._relay.close()
            raise
        return 0.0 if relayed else RELAY_SECONDS


def reason(error: Exception) -> str:
    """Say why a stream failed: of an error that is not Driftline's only its type, as its text may hold SQL and data."""
    if isinstance(error, DriftlineError):
        return error.message
    return f"{type(error).__name__}: the simulator's log says more"


def message(run: Run, plan: StreamPlan) -> str:
    """Say what a request to start did: what began and up to where, or what is there already."""
    if run.state is not RunState.RUNNING:
        return _nothing_started(run)
    begun = f"from batch {run.next_batch} on" if run.batches_done else f"{run.num_batches} batches"
    if not plan.dated:
        return f"Streaming started: {begun} of {plan.batch_size:,} records. GET /stream shows the progress."
    days = f"{plan.day(run.next_batch)} to {plan.day(run.num_batches)}"
    return f"Streaming started: {begun}, the days {days}. GET /stream shows the progress."


def _nothing_started(run: Run) -> str:
    cure = f"ask for more than {run.batches_done} to go on"
    return f"Nothing was started: {run.batches_done} batches of this stream are there already; {cure}."
