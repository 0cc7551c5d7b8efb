"""A model of MLflow's registry, as it is registered for monitoring: its features, and its files in the object store."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from driftline.backtesting.options import join_names
from driftline.objects import ObjectStore, open_store
from driftline.settings import LocalSettings
from driftline.tracking import model_uri
from driftline.tracking.mlflow_client import connect
from driftline.tracking.settings import TrackingSettings
from driftline.tracking.training_runs import RunLink

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True, slots=True)
class RecordedModel:
    """A version of MLflow's registry: where it is recorded, its features as options, and the address of its artifact.

    `artifact` is None where its files are none that can be served.
    """

    client: "MlflowClient"
    link: RunLink
    features: str
    categorical: str | None
    artifact: str | None

    @property
    def lines(self) -> Iterator[str]:
        """What was found, for people."""
        yield f"MLflow: {self.link.registered_model} version {self.link.registered_version}, run {self.link.run_id}"
        if self.artifact is None:
            yield "note its files are not an artifact of driftline: the model is monitored, and cannot be served"

    def link_back(self, name: str, version: int) -> None:
        """Tag the version in MLflow with the monitored one."""
        model_uri.link_back(self.client, self.link, name, version)


def find_recorded(address: str, name: str) -> RecordedModel:
    """Find the version of an address such as `models:/flights@champion`, and copy its artifact into the object store.

    Raises:
        InvalidInput: the address is none, or the version has no signature. NotFound: no such model, alias or version.
        MissingLibrary: MLflow is not installed. TrackingUnavailable: it does not answer.
    """
    local = LocalSettings()
    client = connect(TrackingSettings(), local)
    with TemporaryDirectory() as folder:
        version = model_uri.fetch(client, address, Path(folder))
        artifact = _store_files(version, open_store(local.objects_address), name) if version.is_servable else None
    return RecordedModel(
        client, version.link, join_names(version.features), join_names(version.categorical) or None, artifact
    )


def _store_files(version: model_uri.RegistryModel, objects: ObjectStore, name: str) -> str:
    """Copy the files of a version into the object store, and return their address."""
    target = objects.under(f"artifacts/{name}/{version.link.registered_model}-{version.link.registered_version}")
    for file in sorted(path for path in version.files.rglob("*") if path.is_file()):
        target.put_file(file.relative_to(version.files).as_posix(), file)
    return target.address
