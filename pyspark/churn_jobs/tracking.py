"""Records a training of the churn model in MLflow, from what was registered."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from churn.columns import CHURN_MODEL
from churn_jobs.progress import say, step
from churn_jobs.spark.job import Job
from churn_jobs.trainers.evaluation_plot import plot_evaluation
from driftline import __version__
from driftline.artifacts.loading import load_scorer
from driftline.artifacts.saving import save_scorer
from driftline.errors import Unavailable
from driftline.store.versions import model_list, registry
from driftline.store.versions.references import read_reference
from driftline.store.versions.registry import Version
from driftline.store.versions.roles import roles_of
from driftline.tracking.aliases import follow
from driftline.tracking.training_runs import LINK, PROBLEM, TrainingRun, record

if TYPE_CHECKING:
    from mlflow import MlflowClient


def track(job: Job, version: Version) -> None:
    """Record the training of a version, unless it is recorded, and those that MLflow missed while it was away.

    The version is registered by then. If MLflow is unavailable now, the version says so (`PROBLEM` of its details), and
    the next training or retraining records it. The aliases `champion` and `challenger` follow the versions' roles.
    """
    if job.open_tracking is None:
        return
    try:
        client = job.open_tracking()
        versions = {v.number: v for v in (*_missed(job), version) if LINK not in v.details}
        for unrecorded in versions.values():
            _record(job, client, unrecorded)
        follow_roles(job, client)
    except Unavailable as error:
        if LINK in registry.load(job.engine, CHURN_MODEL, version.number).details:
            say(f"The aliases in MLflow were not changed: {error.message}")
            return
        registry.add_details(job.engine, version.key, {PROBLEM: error.message})
        say(f"The training was not recorded: {error.message} The next run of `train_model` or `retrain` records it.")


def track_missed(job: Job) -> None:
    """Record the trainings that MLflow missed while it was away; MLflow is not asked where there are none."""
    missed = _missed(job)
    if job.open_tracking is None or not missed:
        return
    try:
        client = job.open_tracking()
        for version in missed:
            _record(job, client, version)
        follow_roles(job, client)
    except Unavailable as error:
        say(f"Earlier trainings are not recorded yet: {error.message}")


def _missed(job: Job) -> list[Version]:
    """Return the versions whose training could not be recorded when they were trained."""
    with job.engine.connect() as connection:
        versions = model_list.versions_of(connection, CHURN_MODEL)
    numbers = [version.version for version in versions if PROBLEM in (version.details or {})]
    return [registry.load(job.engine, CHURN_MODEL, number) for number in numbers]


def _record(job: Job, client: "MlflowClient", version: Version) -> None:
    """Record the training of a version, and link the version to it."""
    with step(f"Recorded the training of version {version.number} in MLflow"), TemporaryDirectory() as folder:
        link = record(client, _run_of(version, Path(folder)))
    registry.add_details(job.engine, version.key, {LINK: link.as_details(), PROBLEM: None})
    say(f"MLflow: run {link.run_id}, version {link.registered_version} of {link.registered_model!r}.")


def follow_roles(job: Job, client: "MlflowClient") -> None:
    """Give the versions in MLflow the aliases of their roles.

    Raises:
        Unavailable: MLflow is away.
    """
    with job.engine.connect() as connection:
        versions, roles = model_list.versions_of(connection, CHURN_MODEL), roles_of(connection, CHURN_MODEL)
    follow(client, versions, roles.used)


def _run_of(version: Version, folder: Path) -> TrainingRun:
    """Return the record of a version's training; its files are written into a folder."""
    details = version.details
    plot = folder / "evaluation.png"
    plot_evaluation(read_reference(version.reference_uri), details["importances"], plot)
    save_scorer(load_scorer(version.artifact_uri or ""), str(folder / "model"))
    return TrainingRun(
        model=version.name,
        version=version.number,
        training_hash=version.training_hash,
        parameters={
            "trainer": details["trainer"],
            **_flat("configuration", details["configuration"]),
            **_flat("chosen", details["chosen"]),
        },
        metrics={name: float(value) for name, value in _metrics(details) if value is not None},
        tags=dict(_tags(version)),
        columns=version.spec.columns,
        scores=version.spec.scores,
        folder=folder / "model",
        figures=(plot,),
    )


def _metrics(details: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the metrics of each window, and each trainer's held-out ROC AUC with its error."""
    yield from _flat("", details["metrics"]).items()
    for row in details["trainers"]:
        windows = {name: value for name, value in row.items() if name not in ("trainer", "chosen")}
        yield from _flat(f"trainers.{row['trainer']}", windows).items()


def _tags(version: Version) -> Iterator[tuple[str, str]]:
    """Yield the range and hash of the data, the code's version, and where the reference is."""
    for window, days in version.details["windows"].items():
        yield f"data.{window}", f"{days['first']} to {days['last']}"
    yield "data.hash", version.details["data_hash"]
    yield "data.simulated", str(version.details["simulated"]).lower()
    yield "reference.hash", version.reference_hash
    yield "driftline.code", __version__


def _flat(prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested values by names with dots."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        path = f"{prefix}.{name}" if prefix else name
        flat |= _flat(path, value) if isinstance(value, Mapping) else {path: value}
    return flat
