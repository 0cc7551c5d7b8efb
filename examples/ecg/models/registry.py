"""MLflow: a run and a registered version of each model, and the aliases by which they are found."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from examples.ecg.models.classifiers import Classifier, load
from examples.ecg.record.features import FEATURES
from examples.ecg.steps import CHAMPION, REGISTERED, SCORES

if TYPE_CHECKING:
    from mlflow import MlflowClient

MADE_OF, MODEL_FOLDER = "ecg.made_of", "model"
SERVER_SCHEMES = ("http", "https")
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
"""Read by MLflow when it is imported."""


@dataclass(frozen=True)
class TrainedModel:
    """What a run records: the model, its parameters and metrics, and the hash of what it was made of."""

    name: str
    model: Classifier
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float]
    made_of: str


@contextmanager
def connected(address: str) -> Iterator["MlflowClient"]:
    """Connect to a server, or to a store such as `sqlite:///FILE`, with telemetry off."""
    os.environ.update(QUIET)
    import mlflow  # noqa: PLC0415  (after its variables; it takes seconds)

    mlflow.set_tracking_uri(address)
    yield mlflow.MlflowClient(address)


def record(client: "MlflowClient", trained: TrainedModel, artifacts: Path) -> str:
    """Record a model and give its version the model's name as alias; the same again is the same version.

    `artifacts` is the folder of the models' files where the client itself writes a store; a server has its own place.
    """
    number = _experiment(client, artifacts)
    condition = f"tags.`{MADE_OF}` = '{trained.made_of}' and attributes.status = 'FINISHED'"
    runs = client.search_runs([number], f"{condition} and attributes.run_name = '{trained.name}'", max_results=1)
    run_id = str(runs[0].info.run_id) if runs else _log_run(client, number, trained)
    version = _registered_version(client, run_id)
    client.set_registered_model_alias(REGISTERED, trained.name, version)
    return version


def _experiment(client: "MlflowClient", artifacts: Path) -> str:
    """Return the id of the experiment; create it if it is missing."""
    if experiment := client.get_experiment_by_name(REGISTERED):
        return str(experiment.experiment_id)
    is_server = urlsplit(client.tracking_uri).scheme in SERVER_SCHEMES
    return str(client.create_experiment(REGISTERED, None if is_server else artifacts.as_uri()))


def _log_run(client: "MlflowClient", experiment: str, trained: TrainedModel) -> str:
    """Log all of a run, its end last."""
    from mlflow.models import Model, ModelSignature  # noqa: PLC0415
    from mlflow.types import ColSpec, Schema  # noqa: PLC0415

    run = client.create_run(experiment, run_name=trained.name, tags={MADE_OF: trained.made_of})
    run_id = str(run.info.run_id)
    for name, value in trained.parameters.items():
        client.log_param(run_id, name, value)
    for name, value in trained.metrics.items():
        client.log_metric(run_id, name, value)
    inputs, outputs = (Schema([ColSpec("double", name) for name in names]) for names in (FEATURES, SCORES))
    described = Model(artifact_path=MODEL_FOLDER, run_id=run_id, signature=ModelSignature(inputs, outputs))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trained.model.save(folder)
        described.add_flavor(REGISTERED, description="examples.ecg.models.classifiers.load reads it")
        described.save(str(folder / "MLmodel"))
        client.log_artifacts(run_id, name, MODEL_FOLDER)
    client.set_terminated(run_id)
    return run_id


def _registered_version(client: "MlflowClient", run_id: str) -> str:
    """Return the registered version of a run; create it, and the model, where they are missing."""
    if not client.search_registered_models(f"name = '{REGISTERED}'"):
        client.create_registered_model(REGISTERED)
    if versions := client.search_model_versions(f"run_id = '{run_id}'"):
        return str(versions[0].version)
    source = f"{client.get_run(run_id).info.artifact_uri}/{MODEL_FOLDER}"
    return str(client.create_model_version(REGISTERED, source, run_id).version)


def load_champion(client: "MlflowClient", folder: Path) -> Classifier:
    """Load the champion's model from the registry."""
    from mlflow.artifacts import download_artifacts  # noqa: PLC0415

    version = client.get_model_version_by_alias(REGISTERED, CHAMPION)
    return load(Path(download_artifacts(artifact_uri=f"{version.source}", dst_path=str(folder))))
