"""The streaming service: requests start and stop the stream; one thread writes it, another relays it to Kafka."""

import logging
import threading
from functools import lru_cache
from uuid import uuid4

from sqlalchemy import Connection, Engine

from churn import migrate
from driftline import spans
from driftline.clock import Clock
from driftline.errors import DatabaseUnavailable, DriftlineError, Unavailable
from driftline.publishing.publisher import BatchPublisher
from driftline.store.database import in_transaction
from flaskapp.relay.relay import Relay
from flaskapp.stream import runs as stream_runs
from flaskapp.stream.plan import StreamPlan
from flaskapp.stream.rate import Rate
from flaskapp.stream.request import read_start
from flaskapp.stream.runs import StreamRun, StreamRunState
from flaskapp.stream.source import StreamSource
from flaskapp.stream.status import StreamStatus
from flaskapp.stream.step_thread import StepThread
from flaskapp.stream.writer import SourceOf, write_next

log = logging.getLogger(__name__)

RELAY_SECONDS = 1.0
"""Seconds between two checks of an idle relay for pending batches."""


Numbers = tuple[StreamRun | None, int, int]
"""A stream, the number of its unpublished batches, and the number of all unpublished batches."""


@lru_cache(maxsize=2)
def _source(plan: str) -> StreamSource:
    return StreamSource(StreamPlan.from_json(plan))


class Streaming:
    """Runs one stream at a time; its state is in MySQL, so a restarted simulator resumes the running stream."""

    def __init__(self, engine: Engine, publisher: BatchPublisher, clock: Clock, source_of: SourceOf = _source) -> None:
        """Store the engine, the publisher, the clock and what makes a plan's batches; `start_work` starts threads."""
        self.engine, self._publisher, self._clock, self._source_of = engine, publisher, clock, source_of
        self._writer_thread = StepThread("writer", self._write_step)
        self._relay_thread = StepThread("relay", self._relay_step)
        self._rate = Rate()
        self._relay = Relay(engine, publisher)
        self._starting = threading.Lock()
        self._trace_of_start: str | None = None
        self._last_read: Numbers = (None, 0, 0)

    def start_work(self) -> None:
        """Start to write and to relay, beginning with the work that an earlier process left."""
        self._writer_thread.start()
        self._relay_thread.start()

    def close(self) -> None:
        """Stop both threads after their current step."""
        self._writer_thread.close()
        self._relay_thread.close()
        self._relay.close()

    def require_ready(self) -> None:
        """Check that MySQL is migrated and that Kafka has the topics.

        Raises:
            Unavailable: MySQL or Kafka is unavailable or not ready.
        """
        migrate.require_current(self.engine)
        self._publisher.probe()

    def start(self, body: object) -> tuple[StreamRun, str]:
        """Start the stream that a request's decoded JSON describes; return it with a message for the user.

        Raises:
            InvalidInput: all faults of the request. StreamRunning: one is running.
            Unavailable: MySQL or Kafka is unavailable.
        """
        now = self._clock()
        request, drifts = read_start(body, now.date())
        plan = StreamPlan.of(request, drifts, now, uuid4())
        self.require_ready()
        with self._starting:
            run = in_transaction(self.engine, lambda connection: stream_runs.begin(connection, plan, now))
        self._rate, self._trace_of_start = Rate(), spans.traceparent()
        self._writer_thread.wake()
        return run, message(run, plan)

    def stop(self) -> StreamRun | None:
        """Stop the running stream after the current batch; return it, or None if none is running."""
        now = self._clock()
        stopped = in_transaction(self.engine, lambda connection: stream_runs.stop(connection, now))
        self._writer_thread.wake()
        return stopped

    def status(self) -> StreamStatus:
        """Return the status of the most recent stream; while MySQL is unavailable, the numbers that were read last."""
        try:
            self._last_read = in_transaction(self.engine, lambda c: _numbers(c, stream_runs.newest(c)))
        except DatabaseUnavailable as error:
            log.debug("The status is the last one read: %s", error)
        return self._status(self._last_read, self._rate.per_second())

    def status_of(self, run_id: str) -> StreamStatus:
        """Return the status of one stream.

        Raises:
            NotFound: there is no such stream. Unavailable: MySQL is unavailable.
        """
        numbers = in_transaction(self.engine, lambda c: _numbers(c, stream_runs.get(c, run_id)))
        run = numbers[0]
        return self._status(numbers, self._rate.per_second() if run and run.state is StreamRunState.RUNNING else None)

    def _status(self, numbers: Numbers, rate: float | None) -> StreamStatus:
        run, unpublished, pending = numbers
        return StreamStatus(run, unpublished, pending, rate, self._writer_thread.error, self._relay_thread.error)

    def _write_step(self) -> float | None:
        """Write the next batch if it is due; return the seconds to wait, or None without a running stream."""
        run = in_transaction(self.engine, stream_runs.running)
        if run is None:
            return None
        try:
            pause = self._pause(run)
            return pause if pause > 0 else self._write(run)
        except Unavailable:
            raise
        except Exception as error:
            log.exception("The stream %s failed", run.run_id)
            self._fail(run, reason(error))
            return 0.0

    def _write(self, run: StreamRun) -> float:
        with spans.span("write batch"):  # a trace of its own: a stream may last for days
            spans.link([self._trace_of_start])
            after = write_next(self.engine, run.run_id, self._source_of, self._clock())
        self._rate.add(self._clock(), after.records - run.records)
        self._relay_thread.wake()
        return self._pause(after) if after.state is StreamRunState.RUNNING else 0.0

    def _fail(self, run: StreamRun, message: str) -> None:
        now = self._clock()
        in_transaction(self.engine, lambda connection: stream_runs.fail(connection, run.run_id, message, now))

    def _pause(self, run: StreamRun) -> float:
        return run.pause(self._source_of(run.plan).plan.interval, self._clock())

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


def _numbers(connection: Connection, run: StreamRun | None) -> Numbers:
    of_run = stream_runs.unpublished(connection, run) if run else 0
    return run, of_run, stream_runs.unpublished(connection)


def reason(error: Exception) -> str:
    """Return why a stream failed; of a foreign error only its type, because its text may contain SQL and data."""
    if isinstance(error, DriftlineError):
        return error.message
    return f"{type(error).__name__}: see the simulator's log"


def message(run: StreamRun, plan: StreamPlan) -> str:
    """Return the message for a start request: which batches were started, or that none are missing."""
    if run.state is not StreamRunState.RUNNING:
        return _nothing_started(run)
    scope = f"from batch {run.next_batch} on" if run.batches_done else f"{run.num_batches} batches"
    if not plan.dated:
        return f"Streaming started: {scope} of {plan.batch_size:,} records. GET /stream shows the progress."
    days = f"{plan.day(run.next_batch)} to {plan.day(run.num_batches)}"
    return f"Streaming started: {scope}, the days {days}. GET /stream shows the progress."


def _nothing_started(run: StreamRun) -> str:
    return (
        f"Nothing was started: this stream already has {run.batches_done} batches; set num_batches to more than "
        f"{run.batches_done} to continue it."
    )
