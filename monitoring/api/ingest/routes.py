"""The routes of ingestion: predictions, labels, corrections and deletions in, and the log of what came."""

from collections.abc import Callable

from apiflask import APIBlueprint
from flask import g, request

from driftline.http.access import accepts_batches, needs
from driftline.http.api_description import Document
from driftline.http.authorization.scopes import Scope
from driftline.ingest.ingestion import Ingestion, Receipt, Sent
from driftline.ingest.rows.content import Content
from monitoring.api.ingest.description import describe_batches
from monitoring.api.ingest.schemas import (
    CorrectionsStored,
    DeletionsStored,
    IngestLogOut,
    IngestLogQuery,
    IngestQuery,
    LabelsStored,
    LogEntryOut,
    PredictionsStored,
)
from monitoring.api.pressure import Pressure

PREFIX = "/api/v1/models/<name>"


def make_ingest_api(ingestion: Ingestion, pressure: Pressure) -> APIBlueprint:
    """Build the routes for one database."""
    api = APIBlueprint("ingest", __name__, tag="Ingestion")

    @needs(Scope.INGEST)
    @accepts_batches
    def predictions(name: str, query_data: IngestQuery) -> PredictionsStored:
        """Store predictions; sent again, they change nothing."""
        return PredictionsStored.of(_store(ingestion.predictions, name, query_data, pressure))

    @needs(Scope.INGEST)
    @accepts_batches
    def labels(name: str, query_data: IngestQuery) -> LabelsStored:
        """Store labels, before or after their predictions; another value revises a label."""
        return LabelsStored.of(_store(ingestion.labels, name, query_data, pressure))

    @needs(Scope.INGEST)
    @accepts_batches
    def corrections(name: str, query_data: IngestQuery) -> CorrectionsStored:
        """Replace the content of stored predictions; their chunks are computed again."""
        return CorrectionsStored.of(_store(ingestion.corrections, name, query_data, pressure))

    @needs(Scope.INGEST)
    @accepts_batches
    def deletions(name: str, query_data: IngestQuery) -> DeletionsStored:
        """Erase predictions and their labels for good, by ids or by the value of a column."""
        return DeletionsStored.of(_store(ingestion.deletions, name, query_data, pressure))

    @needs(Scope.READ)
    def log(name: str, query_data: IngestLogQuery) -> IngestLogOut:
        """List the ingested and the refused batches of a model with the reasons, newest first."""
        entries = ingestion.log(name, query_data.most, query_data.filter())
        return IngestLogOut(model=name, entries=tuple(LogEntryOut.of(number, entry) for number, entry in entries))

    responses: dict[Callable[..., object], type] = {
        predictions: PredictionsStored,
        labels: LabelsStored,
        corrections: CorrectionsStored,
        deletions: DeletionsStored,
    }
    for view, response in responses.items():
        with_query = api.input(IngestQuery, location="query")(view)
        api.post(f"{PREFIX}/{view.__name__}")(api.output(response)(with_query))
    api.get(f"{PREFIX}/ingest")(api.output(IngestLogOut)(api.input(IngestLogQuery, location="query")(log)))
    return api


def _store(ingest: Callable[[str, Sent], Receipt], name: str, query: IngestQuery, pressure: Pressure) -> Receipt:
    """Read the body and ingest it; the slot is held once the body has arrived."""
    body = request.get_data(cache=False)
    with pressure.slot():
        content = Content.of(body, request.content_type, request.headers.get("Content-Encoding"))
        key, caller = request.headers.get("Idempotency-Key"), g.get("caller")
        words = tuple(request.args.getlist("na_values"))  # APIFlask passes only the first of repeated values
        return ingest(name, Sent(content, key, query.version, words, caller))


def describe_ingest(document: Document) -> None:
    """Describe bodies, headers and refusals, for the OpenAPI document."""
    describe_batches(document, PREFIX.replace("<", "{").replace(">", "}"))
