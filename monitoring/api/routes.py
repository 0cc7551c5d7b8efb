"""The JSON API: polls, and the chunks of each model with their revisions."""

from collections.abc import Callable
from datetime import datetime

from apiflask import APIBlueprint
from pydantic import TypeAdapter, ValidationError

from driftline.errors import InvalidInput
from driftline.http.access import needs
from driftline.http.api_description import Document
from driftline.http.scopes import Scope
from driftline.report.schema import ChunkBrief, ChunkOut
from monitoring.api.schemas import (
    INSTANT,
    AdviceOut,
    ChunkQuery,
    ChunksOut,
    Instant,
    ModelPolled,
    PollOut,
    RevisionOut,
    RevisionsOut,
    VersionQuery,
)
from monitoring.poll.poller import PollSummary
from monitoring.report.advice import REGISTER_MODEL, advice_on
from monitoring.report.chunk_views import ChunkRange
from monitoring.service import Monitor

NEWEST_CHUNKS = 7
"""How many chunks of each model the response of `/run-monitoring` contains."""
_instant: TypeAdapter[datetime] = TypeAdapter(Instant)
_no_model = (AdviceOut.of(REGISTER_MODEL),)


def make_api(monitor: Monitor) -> APIBlueprint:
    """Build the API's routes for a monitor."""
    api = APIBlueprint("api", __name__, tag="Monitoring")

    @needs(Scope.OPERATE)
    def run_monitoring() -> PollOut:
        """Compute every pending chunk, open and failed ones included, and return what changed."""
        return _poll_out(monitor, monitor.poll(scheduled=False))

    @needs(Scope.READ)
    def chunks(name: str, query_data: ChunkQuery) -> ChunksOut:
        """List a model's chunks with their verdicts and results, oldest first."""
        status = monitor.status(name, query_data.version, ChunkRange(query_data.first, query_data.last))
        reports = tuple(ChunkOut.of(status.version.spec, report) for report in status.chunks)
        return ChunksOut(model=name, version=status.version.number, clock=status.clock, chunks=reports)

    @needs(Scope.READ)
    def revisions(name: str, start: str, query_data: VersionQuery) -> RevisionsOut:
        """List all revisions of the chunk that contains an instant, oldest first."""
        history = monitor.history(name, query_data.version, _parsed(start))
        listed = tuple(RevisionOut.of(revision, results, history.verdicts) for revision, results in history.revisions)
        return RevisionsOut(
            model=name,
            version=history.version.number,
            start=history.chunk.start,
            end=history.chunk.end,
            revisions=listed,
        )

    def route(rule: str, view: Callable[..., object], response: type, *, query: type | None = None) -> None:
        with_query = api.input(query, location="query")(view) if query else view
        methods = ["GET", "POST"] if view is run_monitoring else ["GET"]
        api.route(rule, methods=methods)(api.output(response)(with_query))

    route("/run-monitoring", run_monitoring, PollOut)
    route("/api/v1/models/<name>/chunks", chunks, ChunksOut, query=ChunkQuery)
    route("/api/v1/models/<name>/chunks/<start>/revisions", revisions, RevisionsOut, query=VersionQuery)
    return api


def describe_paths(document: Document) -> None:
    """Describe the format of a chunk's start in a path, for the OpenAPI document."""
    for path, operations in document["paths"].items():
        for parameter in operations["get"].get("parameters", ()) if "{start}" in path else ():
            if parameter["name"] == "start":
                parameter["schema"] = INSTANT


def _parsed(start: str) -> datetime:
    try:
        return _instant.validate_python(start)
    except ValidationError as error:
        raise InvalidInput(f"{start!r} is not an instant; write it as 2026-01-31 or 2026-01-31T00:00:00Z.") from error


def _poll_out(monitor: Monitor, summary: PollSummary) -> PollOut:
    models = tuple(_model_polled(monitor, name, versions[-1]) for name, versions in monitor.models().items())
    return PollOut(
        message=_message(summary),
        seconds=round(summary.seconds, 3),
        batches=summary.batches,
        chunks=summary.chunks,
        revisions=summary.revisions,
        verdicts=summary.verdicts,
        failed=summary.failed,
        models=models,
        missing=() if models else _no_model,
    )


def _model_polled(monitor: Monitor, name: str, version: int) -> ModelPolled:
    status = monitor.status(name, version, ChunkRange())
    spec = status.version.spec
    return ModelPolled(
        name=name,
        version=version,
        clock=status.clock,
        chunks=tuple(ChunkBrief.of(spec, report) for report in status.chunks[-NEWEST_CHUNKS:]),
        missing=tuple(map(AdviceOut.of, advice_on(spec, status.chunks))),
    )


def _message(summary: PollSummary) -> str:
    if not (summary.batches or summary.outcomes):
        return "Nothing was pending."
    revised = f" ({summary.revisions} revised)" if summary.revisions else ""
    computed = f"{summary.chunks} chunks computed{revised}; {summary.verdicts} verdicts changed."
    return f"{computed} {summary.failed} failed." if summary.failed else computed
