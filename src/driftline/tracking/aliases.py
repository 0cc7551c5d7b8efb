"""The aliases of MLflow's registry follow the roles of monitored versions."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from driftline.store.versions.model_list import VersionSummary
from driftline.store.versions.roles import Role
from driftline.tracking.mlflow_client import translated
from driftline.tracking.training_runs import LINK

if TYPE_CHECKING:
    from mlflow import MlflowClient


def follow(client: "MlflowClient", versions: Iterable[VersionSummary], default_version: int | None) -> None:
    """Set the aliases of a model's registered versions by the roles of its monitored versions.

    The default version has the alias `champion`, also where no champion is named. A role whose version is not recorded
    in MLflow leaves no alias there.

    Raises:
        TrackingUnavailable: MLflow does not answer.
    """
    recorded = {version.version: (version.role, version.details[LINK]) for version in versions if _is_recorded(version)}
    aliases: dict[tuple[str, str], str | None] = {
        (link["registered_model"], str(role)): None for _, link in recorded.values() for role in Role
    }
    for number, (role, link) in recorded.items():
        present = Role.CHAMPION if number == default_version else role
        if present is not None:
            aliases[link["registered_model"], str(present)] = link["registered_version"]
    for (model, alias), version in aliases.items():
        with translated(f"model {model!r}"):
            if version is not None:
                client.set_registered_model_alias(model, alias, version)
            else:
                client.delete_registered_model_alias(model, alias)


def _is_recorded(version: VersionSummary) -> bool:
    return LINK in (version.details or {})
