"""The JSON API: the chunks of each model with their revisions."""

from apiflask import APIBlueprint

from driftline.http.access import needs
from driftline.http.api_description import Document
from driftline.http.authorization.scopes import Scope
from driftline.report.schema import ChunkOut
from monitoring.api.schemas import (
    INSTANT,
    AdviceOut,
    ChunkQuery,
    ChunksOut,
    LineageOut,
    LineageQuery,
    RevisionOut,
    RevisionsOut,
    VersionQuery,
    parse_instant,
)
from monitoring.report.advice import advice_on
from monitoring.report.chunk_views import ChunkRange
from monitoring.service import MonitorService


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
        history = monitor.history(monitor.revisions(name, query_data.version, parse_instant(start)))
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
        of_chunk = monitor.revisions(name, query_data.version, parse_instant(start))
        return LineageOut.of(monitor.lineage(of_chunk, query_data.revision))

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
