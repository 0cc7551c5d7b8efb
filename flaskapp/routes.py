"""The simulator's routes."""

from typing import Any

from apiflask import APIFlask
from flask import request
from pydantic import BaseModel, ConfigDict, Field

from driftline.http import api_description
from driftline.http.access import needs
from driftline.http.authorization.scopes import Scope
from flaskapp.stream.request import StartStream
from flaskapp.stream.service import Streaming
from flaskapp.stream.status import StreamState, stream_state

BODY = "#/components/schemas/StartStream"


class StreamStarted(BaseModel):
    """A stream that was started or resumed, or that was already complete."""

    message: str
    run_id: str
    state: str
    next_batch: int
    num_batches: int


class StreamQuery(BaseModel):
    """The stream of which the status is returned."""

    model_config = ConfigDict(extra="forbid")
    run_id: str | None = Field(
        None,
        pattern="^[0-9a-f]{64}$",
        description="as the answer of POST /start_stream has it; by default the newest",
    )


class StreamStopped(BaseModel):
    """The stream that was stopped; `run_id` is null if none was running."""

    message: str
    run_id: str | None


def add_routes(app: APIFlask, streaming: Streaming) -> None:
    """Add the routes of the stream to the app."""

    @needs(Scope.OPERATE)
    def start_stream() -> StreamStarted:
        """Start a stream: 409 while one runs, 400 with every fault, 503 while MySQL or Kafka is unavailable."""
        run, message = streaming.start(request.get_json(force=True))
        return StreamStarted(
            message=message,
            run_id=run.run_id,
            state=run.state,
            next_batch=run.next_batch,
            num_batches=run.num_batches,
        )

    @needs(Scope.READ)
    def stream(query_data: StreamQuery) -> StreamState:
        """Return the status of one stream, by default of the most recent one."""
        run_id = query_data.run_id
        return stream_state(streaming.status() if run_id is None else streaming.status_of(run_id))

    @needs(Scope.OPERATE)
    def stop_stream() -> StreamStopped:
        """Stop the running stream after the batch that is being written."""
        run = streaming.stop()
        if run is None:
            return StreamStopped(message="No stream is running.", run_id=None)
        return StreamStopped(message=f"Streaming stopped after {run.batches_done} batches.", run_id=run.run_id)

    app.post("/start_stream")(_responses(app, StreamStarted, (400, 409, 503))(start_stream))
    app.get("/stream")(_responses(app, StreamState, (404,))(app.input(StreamQuery, location="query")(stream)))
    app.post("/stop_stream")(_responses(app, StreamStopped, (503,))(stop_stream))
    api_description.add_describer(app, _describe_body)


def _responses(app: APIFlask, schema: type, failures: tuple[int, ...]) -> Any:
    described = app.doc(responses=list(failures)) if failures else lambda view: view
    return lambda view: described(app.output(schema)(view))


def _describe_body(document: api_description.Document) -> None:
    """Describe the body of `/start_stream`, which `stream.request` reads so that all faults are reported together."""
    document.setdefault("components", {}).setdefault("schemas", {})["StartStream"] = StartStream.model_json_schema()
    document["paths"]["/start_stream"]["post"]["requestBody"] = {
        "required": False,
        "content": {"application/json": {"schema": {"anyOf": [{"$ref": BODY}, {"type": "null"}]}}},
    }
