"""The status of the stream and of publishing, and how the API shows it. No I/O here."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, Field

from flaskapp.stream.runs import StreamRun, StreamRunState


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """A stream (None if there never was one) and the work of both threads.

    `unpublished` counts the stream's batches that the relay has yet to publish, `pending` those of all streams; `rate`
    is in records per second. An error says why a thread is waiting.
    """

    run: StreamRun | None
    unpublished: int
    pending: int
    rate: float | None
    writer_error: str | None
    relay_error: str | None


class RelayState(BaseModel):
    """Publishing status."""

    state: str = Field(description="idle, publishing, waiting")
    pending_batches: int = Field(description="written to MySQL, not yet in Kafka")
    last_error: str | None


class StreamState(BaseModel):
    """Status of a stream; every field but `state` and `relay` is null if there never was one."""

    state: str = Field(description="idle, running, waiting, publishing, finished, stopped, failed")
    run_id: str | None = None
    num_batches: int | None = None
    batches_done: int | None = Field(None, description="in MySQL")
    batches_published: int | None = Field(None, description="in Kafka")
    progress: float | None = Field(None, description="share of the batches that is in MySQL, 0 to 1")
    records: int | None = None
    rate: float | None = Field(None, description="records per second over the last batches of this process")
    last_error: str | None = None
    started_at: datetime | None = None
    updated_at: datetime | None = None
    finished_at: datetime | None = None
    relay: RelayState


def stream_state(status: StreamStatus) -> StreamState:
    """Return the status as the API shows it: `waiting` for MySQL or Kafka, `publishing` while Kafka lags behind."""
    relay = _relay_state(status)
    run = status.run
    if run is None:
        return StreamState(state="idle", relay=relay)
    return StreamState(
        state=_state(run, status),
        run_id=run.run_id,
        num_batches=run.num_batches,
        batches_done=run.batches_done,
        batches_published=run.batches_done - status.unpublished,
        progress=run.batches_done / run.num_batches,
        records=run.records,
        rate=status.rate,
        last_error=status.writer_error or status.relay_error or run.last_error,
        started_at=run.started_at,
        updated_at=run.updated_at,
        finished_at=run.finished_at,
        relay=relay,
    )


def _state(run: StreamRun, status: StreamStatus) -> str:
    if run.state is not StreamRunState.RUNNING and not (run.state is StreamRunState.FINISHED and status.unpublished):
        return run.state
    if status.writer_error or status.relay_error:
        return "waiting"
    return run.state if run.state is StreamRunState.RUNNING else "publishing"


def _relay_state(status: StreamStatus) -> RelayState:
    state = "waiting" if status.relay_error else "publishing" if status.pending else "idle"
    return RelayState(state=state, pending_batches=status.pending, last_error=status.relay_error)
