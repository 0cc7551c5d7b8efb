"""A model with all its versions, as the command line and the HTTP API show it."""

from driftline.models.registered_models import RegisteredModels
from driftline.models.schema import ModelDetailOut


def model_detail(registered: RegisteredModels, name: str) -> ModelDetailOut:
    """Return a model with all its versions, and the reference of the one that is used.

    Raises:
        NotFound: no such model.
    """
    versions = registered.versions(name)
    default_version = registered.roles(name).used
    fitted = None if default_version is None else registered.fitted(name, default_version)
    return ModelDetailOut.of(name, versions, default_version, fitted, registered.owner(name))
