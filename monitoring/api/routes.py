"""The JSON API: the chunks of each model with their revisions."""

from datetime import datetime

from apiflask import APIBlueprint
from pydantic import TypeAdapter, ValidationError

from driftline.errors import InvalidInput
from driftline.http.access import needs
from driftline.http.api_description import Document
from driftline.http.scopes import Scope
from driftline.report.schema import ChunkOut
from monitoring.api.schemas import (
    INSTANT,
    AdviceOut,
    ChunkQuery,
    ChunksOut,
    Instant,
    LineageOut,
    LineageQuery,
    RevisionOut,
    RevisionsOut,
    VersionQuery,
)
from monitoring.report.advice import advice_on
from monitoring.report.chunk_views import ChunkRange
from monitoring.service import MonitorService

_instant: TypeAdapter[datetime] = TypeAdapter(Instant)


def make_api(monitor: MonitorService) -> APIBlueprint:
    """Build the API's routes for a monitor."""
    api = APIBlueprint("api", __name__, tag="Monitoring")

    @needs(Scope.READ)
    def chunks(name: str, query_data: ChunkQuery) -> ChunksOut:
        """List a model's chunks with their verdicts and results, oldest first."""
        status = monitor.status(name, query_data.version, ChunkRange(query_data.first, query_data.last))
        reports = tuple(ChunkOut.of(status.version.spec, report) for report in status.chunks)
        return ChunksOut(
            model=name,
            version=status.version.number,
            clock=status.clock,
            chunks=reports,
            missing=tuple(map(AdviceOut.of, advice_on(status.version.spec, status.chunks))),
        )

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

    @needs(Scope.READ)
    def lineage(name: str, start: str, query_data: LineageQuery) -> LineageOut:
        """Say where the numbers of the chunk that contains an instant come from."""
        return LineageOut.of(monitor.lineage(name, query_data.version, _parsed(start), query_data.revision))

    chunks_path = "/api/v1/models/<name>/chunks"
    with_range = api.input(ChunkQuery, location="query")(chunks)
    with_version = api.input(VersionQuery, location="query")(revisions)
    with_revision = api.input(LineageQuery, location="query")(lineage)
    api.get(chunks_path)(api.output(ChunksOut)(with_range))
    api.get(f"{chunks_path}/<start>/revisions")(api.output(RevisionsOut)(with_version))
    api.get(f"{chunks_path}/<start>/lineage")(api.output(LineageOut)(with_revision))
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
