"""The routes of models: list, show, register from a reference, revise and remove."""

from collections.abc import Callable
from dataclasses import replace

from apiflask import APIBlueprint
from flask import request
from sqlalchemy import Connection

from driftline.http.access import accepts_batches, needs
from driftline.http.api_description import Document
from driftline.http.authorization.scopes import Scope
from driftline.ingest.rows.content import Content
from driftline.models.detail import model_detail
from driftline.models.registered_models import RegisteredModels
from driftline.models.schema import ModelSummaryOut, ProposalOut, RemovedOut, RevisedOut
from driftline.models.uploaded import propose_uploaded
from driftline.store.database import translated
from monitoring.api.models.description import describe_references
from monitoring.api.models.schedule_schemas import MonitoredModelOut, PollingOut
from monitoring.api.models.schemas import ModelListOut, OwnerIn, OwnerOut, ReferenceQuery, RevisionIn, RevisionQuery
from monitoring.api.pressure import Pressure

PREFIX = "/api/v1/models"


def make_models_api(
    registered: RegisteredModels, pressure: Pressure, read_polling: Callable[[Connection, str], PollingOut]
) -> APIBlueprint:
    """Build the routes for one database; `read_polling` reads the polling status of a model."""
    api = APIBlueprint("registered_models", __name__, tag="Models")

    @needs(Scope.READ)
    def list_models() -> ModelListOut:
        """List the models with the version that is used and the verdict of its newest chunk."""
        return ModelListOut(models=tuple(map(ModelSummaryOut.of, registered.summaries())))

    @needs(Scope.READ)
    def show(name: str) -> MonitoredModelOut:
        """Show a model: its versions, specs and columns, its reference, what the monitor can see, and its polls."""
        detail = model_detail(registered, name)
        with translated(), registered.engine.connect() as connection:
            return MonitoredModelOut(**dict(detail), polling=read_polling(connection, name))

    @needs(Scope.ADMIN)
    @accepts_batches
    def register(name: str, query_data: ReferenceQuery) -> ProposalOut:
        """Register a model from its reference, the body; with `dry_run` infer and show it only."""
        body = request.get_data(cache=False)
        with pressure.slot():
            content = Content.of(body, request.content_type, request.headers.get("Content-Encoding"))
            proposal = propose_uploaded(content, name, *query_data.request(request.args))
            owned = replace(proposal, owner=query_data.owner)
            version = None if query_data.dry_run else registered.register(owned)
        return ProposalOut.of(proposal, version)

    @needs(Scope.ADMIN)
    def revise(name: str, query_data: RevisionQuery, json_data: RevisionIn) -> RevisedOut:
        """Add a spec revision to a version; every chunk is computed again, and older results stay readable."""
        revised = registered.revise(name, json_data.changes, query_data.version)
        return RevisedOut(
            name=name, version=revised.version, revision=revised.revision, pending_chunks=revised.pending_chunks
        )

    @needs(Scope.ADMIN)
    def set_owner(name: str, json_data: OwnerIn) -> OwnerOut:
        """Set or remove the owner of a model."""
        registered.set_owner(name, json_data.owner)
        return OwnerOut(name=name, owner=registered.owner(name))

    @needs(Scope.ADMIN)
    def remove(name: str) -> RemovedOut:
        """Remove a model with everything that it stored: versions, predictions, labels, results and references."""
        return RemovedOut(name=name, rows_deleted=registered.remove(name))

    def route(method: Callable[..., Callable[..., object]], rule: str, view: Callable[..., object], out: type) -> None:
        method(f"{PREFIX}{rule}")(api.output(out)(view))

    route(api.get, "", list_models, ModelListOut)
    route(api.get, "/<name>", show, MonitoredModelOut)
    route(api.post, "/<name>", api.input(ReferenceQuery, location="query")(register), ProposalOut)
    with_body = api.input(RevisionIn, location="json")(revise)
    route(api.post, "/<name>/specs", api.input(RevisionQuery, location="query")(with_body), RevisedOut)
    route(api.put, "/<name>/owner", api.input(OwnerIn, location="json")(set_owner), OwnerOut)
    route(api.delete, "/<name>", remove, RemovedOut)
    return api


def describe_models(document: Document) -> None:
    """Describe bodies and refusals, for the OpenAPI document."""
    describe_references(document, PREFIX)
