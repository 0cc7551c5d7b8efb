"""The routes of a model's versions: read the reference of one, and retire one."""

from apiflask import APIBlueprint

from driftline.errors import NotFound
from driftline.http.access import needs
from driftline.http.api_description import Document, add_error_response
from driftline.http.scopes import Scope
from driftline.models.registered_models import RegisteredModels
from driftline.store import registry
from driftline.store.database import translated
from monitoring.api.version_schemas import VersionReferenceOut, VersionStateOut

PREFIX = "/api/v1/models/<name>/versions/<int:version>"


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
        """Retire a version: it takes no more rows and is polled no more; what it stored stays readable."""
        registered.retire(name, version)
        return VersionStateOut(name=name, version=version, state=registry.RETIRED)

    api.get(f"{PREFIX}/reference")(api.output(VersionReferenceOut)(reference))
    api.post(f"{PREFIX}/retire")(api.output(VersionStateOut)(retire))
    return api


def describe_versions(document: Document) -> None:
    """State the refusals, for the OpenAPI document."""
    for path in ("reference", "retire"):
        for operation in document["paths"].get(f"/api/v1/models/{{name}}/versions/{{version}}/{path}", {}).values():
            add_error_response(operation, NotFound)
