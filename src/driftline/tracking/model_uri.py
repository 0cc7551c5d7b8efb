"""Finds a model version of MLflow's registry, and reads its signature and its files."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from driftline.artifacts.loading import DESCRIPTION
from driftline.errors import InvalidInput
from driftline.tracking.mlflow_client import translated
from driftline.tracking.training_runs import MODEL, VERSION, RunLink, public_address

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.models import ModelSignature

ADDRESS = re.compile(r"models:/(?P<name>[^/@]+)(?:@(?P<alias>[^/@]+)|/(?P<version>[0-9]+))")
TEXT_TYPES = frozenset({"string", "boolean"})


@dataclass(frozen=True, slots=True)
class RegistryModel:
    """A version of a registered model.

    `features` are the inputs of its signature and `categorical` those that are text; `files` are where its files were
    copied to, and `is_servable` says whether they are an artifact of `driftline.artifacts`.
    """

    link: RunLink
    features: tuple[str, ...]
    categorical: tuple[str, ...]
    files: Path

    @property
    def is_servable(self) -> bool:
        """Whether the files are an artifact that can be served."""
        return (self.files / DESCRIPTION).exists()


def fetch(client: "MlflowClient", address: str, folder: Path) -> RegistryModel:
    """Find the version of an address such as `models:/flights@champion` or `models:/flights/3`; copy its files.

    Raises:
        InvalidInput: the address is none, or the version has no signature with named inputs.
        NotFound: no such model, alias or version. TrackingUnavailable: MLflow does not answer.
    """
    match = ADDRESS.fullmatch(address)
    if not match:
        raise InvalidInput(f"{address!r} is not a model's address; pass models:/NAME@ALIAS or models:/NAME/VERSION.")
    name, alias, number = match["name"], match["alias"], match["version"]
    with translated(address):
        version = client.get_model_version_by_alias(name, alias) if alias else client.get_model_version(name, number)
        files = _download(f"models:/{name}/{version.version}", folder)
    features, categorical = _inputs(address, files)
    link = RunLink(public_address(client.tracking_uri), str(version.run_id or ""), name, str(version.version))
    return RegistryModel(link, features, categorical, files)


def link_back(client: "MlflowClient", link: RunLink, model: str, version: int) -> None:
    """Tag a registered version with the monitored version that it became."""
    with translated(f"models:/{link.registered_model}/{link.registered_version}"):
        for tag, value in ((MODEL, model), (VERSION, str(version))):
            client.set_model_version_tag(link.registered_model, link.registered_version, tag, value)


def _download(address: str, folder: Path) -> Path:
    from mlflow.artifacts import download_artifacts  # noqa: PLC0415

    return Path(download_artifacts(artifact_uri=address, dst_path=str(folder)))


def _inputs(address: str, files: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the inputs of a signature, and those of texts."""
    from mlflow.models import Model  # noqa: PLC0415

    signature: ModelSignature | None = None
    if (files / "MLmodel").exists():
        signature = Model.load(str(files)).signature
    if signature is None or not signature.inputs.has_input_names():
        raise InvalidInput(
            f"{address} has no signature with named inputs; log the model with a signature, or register it without "
            "--mlflow and with --features."
        )
    types = signature.inputs.input_dict()
    texts = tuple(name for name, spec in types.items() if getattr(spec.type, "name", "") in TEXT_TYPES)
    return tuple(types), texts
