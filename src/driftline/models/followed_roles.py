"""Lets the aliases of MLflow's registry follow the roles of a model, where its trainings are recorded there."""

from collections.abc import Iterator

from driftline.errors import MissingLibrary, Unavailable
from driftline.models.registered_models import RegisteredModels
from driftline.settings import LocalSettings
from driftline.tracking.aliases import follow
from driftline.tracking.mlflow_client import connect
from driftline.tracking.settings import TrackingSettings
from driftline.tracking.training_runs import LINK


def follow_roles(registered: RegisteredModels, name: str) -> Iterator[str]:
    """Set the aliases of a model's versions; yield a note where MLflow is not installed or away.

    Roles are what the database says: the aliases follow at the next change, or the next training.
    """
    versions = registered.versions(name)
    if not any(LINK in (version.details or {}) for version in versions):
        return
    try:
        follow(connect(TrackingSettings(), LocalSettings()), versions, registered.roles(name).used)
    except (MissingLibrary, Unavailable) as error:
        yield f"note the aliases in MLflow were not changed: {error.message}"
