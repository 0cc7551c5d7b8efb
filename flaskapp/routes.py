"""The simulator's routes."""

from typing import Any

from apiflask import APIFlask
from flask import request

from driftline.http import api_description
from driftline.http.access import needs
from driftline.http.scopes import Scope
from flaskapp.stream.request import StartStream
from flaskapp.stream.schemas import StreamStarted, StreamState, StreamStopped, stream_state
from flaskapp.stream.service import Streaming

BODY = "#/components/schemas/StartStream"


def add_routes(app: APIFlask, streaming: Streaming) -> None:
    """Give the app the routes of the stream."""

    @needs(Scope.OPERATE)
    def start_stream() -> StreamStarted:
        """Start a stream: 409 while one runs, 400 with every fault, 503 while MySQL or Kafka is away."""
        run, message = streaming.start(request.get_json(force=True))
        return StreamStarted(
            message=message,
            run_id=run.run_id,
            state=run.state,
            next_batch=run.next_batch,
            num_batches=run.num_batches,
        )

    @needs(Scope.READ)
    def stream() -> StreamState:
        """Say how the newest stream is."""
        return stream_state(streaming)

    @needs(Scope.OPERATE)
    def stop_stream() -> StreamStopped:
        """Stop the stream that runs; the batch under way is still written."""
        run = streaming.stop()
        if run is None:
            return StreamStopped(message="No stream is running.", run_id=None)
        return StreamStopped(message=f"Streaming stopped after {run.batches_done} batches.", run_id=run.run_id)

    app.post("/start_stream")(_answers(app, StreamStarted, (400, 409, 503))(start_stream))
    app.get("/stream")(_answers(app, StreamState, ())(stream))
    app.post("/stop_stream")(_answers(app, StreamStopped, (503,))(stop_stream))
    api_description.add_describer(app, _describe_body)


def _answers(app: APIFlask, schema: type, failures: tuple[int, ...]) -> Any:
    described = app.doc(responses=list(failures)) if failures else lambda view: view
    return lambda view: described(app.output(schema)(view))


def _describe_body(document: api_description.Document) -> None:
    """Describe the body of `/start_stream`, which is read by `start_request` so that all faults come at once."""
    document.setdefault("components", {}).setdefault("schemas", {})["StartStream"] = StartStream.model_json_schema()
    document["paths"]["/start_stream"]["post"]["requestBody"] = {
        "required": False,
        "content": {"application/json": {"schema": {"anyOf": [{"$ref": BODY}, {"type": "null"}]}}},
    }
