"""The routes of a model's versions: roles, retrainings, the reference of one, promote or retire one, and roll back."""

from apiflask import APIBlueprint
from flask import g

from driftline.errors import Conflict, NotFound
from driftline.http.access import needs
from driftline.http.api_description import Document, add_error_response
from driftline.http.authorization.scopes import Scope
from driftline.models.registered_models import RegisteredModels
from driftline.models.schema import RetrainingsOut, RolesOut
from driftline.store.database import translated
from driftline.store.versions import registry
from monitoring.api.models.version_schemas import ReasonIn, RetrainingsQuery, VersionReferenceOut, VersionStateOut
from monitoring.incidents.stored_incidents import NO_CALLER

MODEL = "/api/v1/models/<name>"
PREFIX = f"{MODEL}/versions/<int:version>"
REFUSALS = {
    "/versions/{version}/reference": (NotFound,),
    "/versions/{version}/retire": (NotFound, Conflict),
    "/versions/{version}/promote": (NotFound,),
    "/rollback": (NotFound, Conflict),
    "/roles": (NotFound,),
    "/retrainings": (NotFound,),
}
"""What each path refuses, besides what every one does."""


def make_versions_api(registered: RegisteredModels) -> APIBlueprint:
    """Build the routes for one database."""
    api = APIBlueprint("versions", __name__, tag="Models")

    @needs(Scope.READ)
    def reference(name: str, version: int) -> VersionReferenceOut:
        """Return the reference of a version, retired ones too: its hash, rows, period and columns."""
        with translated():
            return VersionReferenceOut.of(registry.load(registered.engine, name, version))

    @needs(Scope.ADMIN)
    def retire(name: str, version: int) -> VersionStateOut:
        """Retire a version: it accepts no further rows and is no longer polled; its results stay readable."""
        registered.retire(name, version)
        return VersionStateOut(name=name, version=version, state=registry.RETIRED)

    @needs(Scope.READ)
    def roles(name: str) -> RolesOut:
        """Return which version is champion and which challenger, and who changed that, when and why."""
        return RolesOut.of(name, registered.roles(name), registered.role_changes(name))

    @needs(Scope.READ)
    def retrainings(name: str, query_data: RetrainingsQuery) -> RetrainingsOut:
        """List the retrainings of a model, the newest first: why, the comparison with its errors, and the decision."""
        return RetrainingsOut.of(name, registered.newest_retrainings(name, query_data.most, query_data.before))

    @needs(Scope.ADMIN)
    def promote(name: str, version: int, json_data: ReasonIn) -> RolesOut:
        """Make a version the champion: it is served, and used wherever no version is named; again, nothing changes."""
        registered.promote(name, version, json_data.reason, g.get("caller") or NO_CALLER)
        return roles(name)

    @needs(Scope.ADMIN)
    def rollback(name: str, json_data: ReasonIn) -> RolesOut:
        """Return to the version that was used before the champion; once more, to the one before that."""
        registered.rollback(name, json_data.reason, g.get("caller") or NO_CALLER)
        return roles(name)

    api.get(f"{MODEL}/roles")(api.output(RolesOut)(roles))
    with_page = api.input(RetrainingsQuery, location="query")(retrainings)
    api.get(f"{MODEL}/retrainings")(api.output(RetrainingsOut)(with_page))
    for path, view in ((f"{PREFIX}/promote", promote), (f"{MODEL}/rollback", rollback)):
        api.post(path)(api.input(ReasonIn, location="json")(api.output(RolesOut)(view)))
    api.get(f"{PREFIX}/reference")(api.output(VersionReferenceOut)(reference))
    api.post(f"{PREFIX}/retire")(api.output(VersionStateOut)(retire))
    return api


def describe_versions(document: Document) -> None:
    """State the refusals, for the OpenAPI document."""
    for path, refusals in REFUSALS.items():
        for operation in document["paths"].get(f"/api/v1/models/{{name}}{path}", {}).values():
            for refusal in refusals:
                add_error_response(operation, refusal)
