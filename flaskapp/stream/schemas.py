"""What the routes answer, as schemas. No I/O here."""

from datetime import datetime

from pydantic import BaseModel, Field

from flaskapp.stream.runs import Run, RunState
from flaskapp.stream.service import Streaming


class StreamStarted(BaseModel):
    """A stream that began, goes on, or was complete already."""

    message: str
    run_id: str
    state: str
    next_batch: int
    num_batches: int


class StreamStopped(BaseModel):
    """What became of the stream."""

    message: str
    run_id: str | None


class Relay(BaseModel):
    """How publishing is."""

    state: str = Field(description="idle, publishing, waiting")
    pending_batches: int = Field(description="written to MySQL, not yet in Kafka")
    last_error: str | None


class StreamState(BaseModel):
    """How the newest stream is; every field but `state` and `relay` is null where there never was one."""

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
    relay: Relay


def stream_state(streaming: Streaming) -> StreamState:
    """Describe the newest stream: `waiting` while MySQL or Kafka is away, `publishing` while Kafka lags behind."""
    status = streaming.status()
    relay = _relay(streaming, status.pending)
    run = status.run
    if run is None:
        return StreamState(state="idle", relay=relay)
    return StreamState(
        state=_state(run, status.unpublished, streaming),
        run_id=run.run_id,
        num_batches=run.num_batches,
        batches_done=run.batches_done,
        batches_published=run.batches_done - status.unpublished,
        progress=run.batches_done / run.num_batches,
        records=run.records,
        rate=streaming.rate.per_second(),
        last_error=streaming.writer.error or streaming.relay.error or run.last_error,
        started_at=run.started_at,
        updated_at=run.updated_at,
        finished_at=run.finished_at,
        relay=relay,
    )


def _state(run: Run, unpublished: int, streaming: Streaming) -> str:
    if run.state is not RunState.RUNNING and not (run.state is RunState.FINISHED and unpublished):
        return run.state
    if streaming.writer.error or streaming.relay.error:
        return "waiting"
    return run.state if run.state is RunState.RUNNING else "publishing"


def _relay(streaming: Streaming, pending: int) -> Relay:
    error = streaming.relay.error
    state = "waiting" if error else "publishing" if pending else "idle"
    return Relay(state=state, pending_batches=pending, last_error=error)
