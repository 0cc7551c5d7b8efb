"""A model with all its versions, as the command line and the HTTP API show it."""

from driftline.models.registered_models import RegisteredModels
from driftline.models.schema import ModelDetailOut
from driftline.store.registry import READY


def model_detail(registered: RegisteredModels, name: str) -> ModelDetailOut:
    """Return a model with all its versions, and the reference of its newest ready one.

    Raises:
        NotFound: no such model.
    """
    versions = registered.versions(name)
    ready = [version.version for version in versions if version.state == READY]
    newest = ready[-1] if ready else None
    return ModelDetailOut.of(
        name, versions, newest, None if newest is None else registered.fitted(name, newest), registered.owner(name)
    )
