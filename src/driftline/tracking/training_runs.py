"""Records a training in MLflow: a run, and a version of a registered model with a signature."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from driftline.engine.catalogue import ColumnKind
from driftline.engine.spec import ColumnSpec
from driftline.tracking.mlflow_client import translated

if TYPE_CHECKING:
    from mlflow import MlflowClient

LINK = "mlflow"
"""The name of the link to a version's run, among its details."""
PROBLEM = "mlflow_problem"
"""The name of the reason why a version's training is not recorded yet, among its details."""
MODEL_FOLDER = "model"
TRAINING_HASH, MODEL, VERSION = "driftline.training_hash", "driftline.model", "driftline.version"
"""Tags of runs and registered versions."""
LONGEST_PARAMETER = 6_000


@dataclass(frozen=True, slots=True)
class RunLink:
    """Where the training of a monitored version is recorded; the address is without user and password."""

    tracking_uri: str
    run_id: str
    registered_model: str
    registered_version: str

    def as_details(self) -> dict[str, str]:
        """Return the link as it is stored with the version."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """What is recorded of a training.

    Attributes:
        model, version: the monitored version.
        training_hash: identifies data and configuration; a training is recorded once.
        parameters, metrics, tags: by their names.
        columns: the features, which are the signature of the registered version.
        scores: the names of the outputs.
        folder: the files of the model, as they are served.
        figures: files to store with the run.
    """

    model: str
    version: int
    training_hash: str
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    columns: tuple[ColumnSpec, ...]
    scores: tuple[str, ...]
    folder: Path
    figures: tuple[Path, ...] = ()


def run_id_of(details: Mapping[str, Any] | None) -> str | None:
    """Return the run of MLflow in which a version was trained, by the version's details; None where none is linked."""
    link = (details or {}).get(LINK)
    return str(link["run_id"]) if link else None


def public_address(address: str) -> str:
    """Return an address without the user and password that it may have."""
    parts = urlsplit(address)
    return address if "@" not in parts.netloc else address.replace(parts.netloc, parts.netloc.rpartition("@")[2], 1)


def record(client: "MlflowClient", run: TrainingRun) -> RunLink:
    """Record a training and return its link; what was recorded before is found, and completed where it was interrupted.

    Raises:
        TrackingUnavailable: the server or store does not answer.
    """
    with translated(f"experiment {run.model!r}"):
        experiment = _experiment(client, run.model)
        run_id = _finished_run(client, experiment, run.training_hash) or _log_run(client, experiment, run)
        version = _register(client, run, run_id)
    return RunLink(public_address(client.tracking_uri), run_id, run.model, version)


def _experiment(client: "MlflowClient", name: str) -> str:
    existing = client.get_experiment_by_name(name)
    return str(existing.experiment_id) if existing else str(client.create_experiment(name, _artifacts(client, name)))


def _artifacts(client: "MlflowClient", name: str) -> str | None:
    """Return where a local store keeps the files of an experiment: beside its file; a server decides itself."""
    scheme, _, path = client.tracking_uri.partition(":///")
    return (Path(path).parent / "mlflow" / name).as_uri() if scheme == "sqlite" else None


def _finished_run(client: "MlflowClient", experiment: str, training_hash: str) -> str | None:
    """Return the finished run of a training; one that was interrupted does not count."""
    condition = f"tags.`{TRAINING_HASH}` = '{training_hash}' and attributes.status = 'FINISHED'"
    runs = client.search_runs([experiment], condition, max_results=1)
    return str(runs[0].info.run_id) if runs else None


def _log_run(client: "MlflowClient", experiment: str, run: TrainingRun) -> str:
    """Log all of a run, its end last."""
    from mlflow.entities import Metric, Param, RunTag  # noqa: PLC0415

    tags = {**run.tags, TRAINING_HASH: run.training_hash, MODEL: run.model, VERSION: str(run.version)}
    created = client.create_run(experiment, run_name=f"{run.model} {run.version}")
    run_id, started = str(created.info.run_id), created.info.start_time
    client.log_batch(
        run_id,
        metrics=[Metric(name, value, started, 0) for name, value in run.metrics.items()],
        params=[Param(name, str(value)[:LONGEST_PARAMETER]) for name, value in run.parameters.items()],
        tags=[RunTag(name, value) for name, value in tags.items()],
    )
    for figure in run.figures:
        client.log_artifact(run_id, str(figure), "plots")
    _write_description(run, run_id)
    client.log_artifacts(run_id, str(run.folder), MODEL_FOLDER)
    client.set_terminated(run_id)
    return run_id


def _write_description(run: TrainingRun, run_id: str) -> None:
    """Write the file `MLmodel` with the signature beside the files of the model."""
    from mlflow.models import Model, ModelSignature  # noqa: PLC0415
    from mlflow.types import ColSpec, Schema  # noqa: PLC0415

    kinds = {ColumnKind.CONTINUOUS: "double", ColumnKind.CATEGORICAL: "string"}
    inputs = Schema([ColSpec(kinds[column.kind], column.name, required=False) for column in run.columns])
    outputs = Schema([ColSpec("double", name) for name in run.scores])
    described = Model(artifact_path=MODEL_FOLDER, run_id=run_id, signature=ModelSignature(inputs, outputs))
    described.add_flavor("driftline", description="model.json")
    described.save(str(run.folder / "MLmodel"))


def _register(client: "MlflowClient", run: TrainingRun, run_id: str) -> str:
    """Return the registered version of a run; create it, and the model, where they are missing."""
    if not any(model.name == run.model for model in client.search_registered_models(f"name = '{run.model}'")):
        client.create_registered_model(run.model, tags={MODEL: run.model})
    existing = client.search_model_versions(f"run_id = '{run_id}'")
    if existing:
        return str(existing[0].version)
    source = f"{client.get_run(run_id).info.artifact_uri}/{MODEL_FOLDER}"
    tags = {TRAINING_HASH: run.training_hash, MODEL: run.model, VERSION: str(run.version)}
    return str(client.create_model_version(run.model, source, run_id, tags=tags).version)
