"""Train on prepared days, calibrate the best, choose its threshold, and register it with its frozen reference."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from sqlalchemy import Connection, literal, or_, select

from churn import migrate
from churn.columns import CHURN_MODEL, FEATURES, TRAILING_DAYS, Processed
from churn.ledger import SIMULATED, ChurnBatchKind
from churn.tables import processed
from churn_jobs import scratch
from churn_jobs.configuration import TrainingConfig
from churn_jobs.days import DAY, DayRange, RequestedDays, choose
from churn_jobs.hashing import content_hash
from churn_jobs.prepared import processed_store
from churn_jobs.prepared.features import PREPARED
from churn_jobs.prepared.preparing import recorded_days
from churn_jobs.progress import say, step
from churn_jobs.readiness import WindowCounts, require_ready
from churn_jobs.spark.jdbc import Jdbc
from churn_jobs.spark.job import Job
from churn_jobs.tracking import track
from churn_jobs.trainers import artifact, calibration, threshold
from churn_jobs.trainers.artifact import ChurnModel
from churn_jobs.trainers.reference import reference_frame
from churn_jobs.trainers.trainer import score_table
from churn_jobs.trainers.trainer_choice import TRAINERS, choose_trainer, compare_trainers, table_lines
from churn_jobs.windows import Windows, split
from driftline.clock import naive_utc
from driftline.engine.spec import ColumnSpec, ModelClock, Period, Spec
from driftline.lineage import runs
from driftline.lineage.datasets import artifact_of, fields_of, reference_of, table_dataset
from driftline.objects import ObjectStore
from driftline.store.database import in_transaction
from driftline.store.job_lock import only_one
from driftline.store.tables import ledger
from driftline.store.versions import registry
from driftline.store.versions.registry import Version
from driftline.tracking.training_runs import run_id_of

FORMAT = 1
"""To be increased when the same data and configuration give another model; part of the training hash."""
CURE = "Prepare days first: `python pyspark/prepare_data.py`."


@dataclass(frozen=True, slots=True)
class Trained:
    """The version's number, and whether this run trained it."""

    version: int
    new: bool


def train(job: Job, requested: RequestedDays, config: TrainingConfig) -> Trained:
    """Train on the requested days, as of the end of the last one; the same training again gives the same version.

    Raises:
        NotFound: no days are prepared. InvalidInput: the range is not available, or it has too few rows.
        Conflict: another run is active.
    """
    migrate.require_current(job.engine)
    runs.read(table_dataset(job.engine.url, processed))
    with only_one(job.engine, "train_model"):
        days = choose(requested, in_transaction(job.engine, processed_store.available), processed.name, CURE)
        windows = split(_with_whole_past(job, days), config)
        with job.open_spark() as jdbc:
            trained = _train(job, jdbc, windows, config)
        track(job, registry.load(job.engine, CHURN_MODEL, trained.version))
        if runs.is_recording():
            _record_lineage(job, registry.load(job.engine, CHURN_MODEL, trained.version), days)
        return trained


def _record_lineage(job: Job, version: Version, days: DayRange) -> None:
    """Record the version that a training made, with its reference."""
    fields = fields_of(version.store.schema.all)
    runs.wrote(
        artifact_of(version.name, version.number),
        reference_of(version.name, version.reference_hash, fields, rows=version.details.get("reference_rows")),
    )
    runs.note(
        model=version.name,
        model_version=version.number,
        spec_revision=version.spec_revision,
        training_hash=version.training_hash,
        mlflow_run=run_id_of(version.details),
        days=str(days),
    )


def _with_whole_past(job: Job, days: DayRange) -> DayRange:
    """Return the days without those whose trailing features would need records before the first one."""
    recorded = in_transaction(job.engine, recorded_days)
    first = recorded.first + (TRAILING_DAYS - 1) * DAY if recorded else days.first
    return DayRange(max(days.first, first), days.last)


def churn_spec(config: TrainingConfig) -> Spec:
    """Return the spec of the churn model: every feature, by day, on the data's clock."""
    return Spec(
        columns=tuple(ColumnSpec(name=name) for name in FEATURES),
        period=Period.DAY,
        clock=ModelClock.DATA,
        label_delay=timedelta(days=config.label_delay_days),
    )


def _train(job: Job, jdbc: Jdbc, windows: Windows, config: TrainingConfig) -> Trained:
    """Return the version that has this training hash, or train and register a new one."""
    rows = jdbc.read(processed, PREPARED, windows.all, processed.c[Processed.DATE]).persist()
    try:
        with step(f"Read prepared rows, {windows.all}"):
            data_hash = content_hash(rows, PREPARED)
        training_hash = hash_of(data_hash, windows, config)
        version = in_transaction(job.engine, lambda c: registry.version_of_training(c, CHURN_MODEL, training_hash))
        if version is not None:
            say(
                f"Version {version} of the churn model was trained with the same data and configuration; nothing to do."
            )
            return Trained(version, new=False)
        return Trained(_new_version(job, rows, windows, config, data_hash, training_hash), new=True)
    finally:
        rows.unpersist()


def hash_of(data_hash: str, windows: Windows, config: TrainingConfig) -> str:
    """Return the training hash: of the data, the windows and the configuration."""
    settings = config.model_dump(mode="json")
    named = {"format": FORMAT, "data": data_hash, "windows": windows.as_text(), "config": settings}
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()


def _new_version(
    job: Job, rows: DataFrame, windows: Windows, config: TrainingConfig, data_hash: str, training_hash: str
) -> int:
    """Train the model unless its files exist already, and register it; return the version's number."""
    target = artifact.place(job.objects, training_hash)
    scratch.clear_dead(job.scratch)
    require_ready(windows, window_counts(rows, windows), config)
    if not artifact.exists(target):
        model = fit(rows, windows, config)
        artifact.save(_described(model, windows, config, data_hash), target, job.scratch)
    return _register(job, rows, windows, config, target, training_hash)


def _described(model: ChurnModel, windows: Windows, config: TrainingConfig, data_hash: str) -> ChurnModel:
    facts = {
        **model.details,
        "threshold": model.threshold,
        "calibration": asdict(model.calibration),
        "windows": windows.as_text(),
        "configuration": config.model_dump(mode="json"),
        "data_hash": data_hash,
    }
    return ChurnModel(model.ranker, model.calibration, model.threshold, facts)


def window_counts(rows: DataFrame, windows: Windows) -> Mapping[str, WindowCounts]:
    """Count the rows, labels and values of each window."""
    label = F.col(Processed.LABEL)
    counted = (
        _tagged(rows, windows)
        .groupBy("window")
        .agg(
            F.count(F.lit(1)).alias("rows"),
            F.count(label).alias("labelled"),
            F.coalesce(F.sum(label), F.lit(0)).alias("churned"),
            *(F.count(name).alias(name) for name in FEATURES),
        )
    )
    return {
        row["window"]: WindowCounts(
            row["rows"], row["labelled"], row["churned"], tuple(name for name in FEATURES if not row[name])
        )
        for row in counted.collect()
    }


def _tagged(rows: DataFrame, windows: Windows) -> DataFrame:
    tags = [F.when(_within(days), F.lit(name)) for name, days in windows.named().items()]
    return rows.withColumn("window", F.coalesce(*tags)).where(F.col("window").isNotNull())


def _within(days: DayRange) -> Column:
    return F.col(Processed.DATE).between(F.lit(days.first), F.lit(days.last))


def fit(rows: DataFrame, windows: Windows, config: TrainingConfig) -> ChurnModel:
    """Fit the trainers, keep one, calibrate its best, choose its threshold, and measure it on every window."""
    inside = {name: rows.where(_within(days)) for name, days in windows.named().items()}
    fitted = {}
    for name in config.trainers:
        with step(f"Trained {name}, {windows.train}"):
            fitted[name] = TRAINERS[name](inside["train"], inside["validation"], config)
    results = compare_trainers(fitted, inside, config)
    choice = choose_trainer(results, config.trainer_errors)
    if len(results) > 1:
        say("\n".join(table_lines(results, choice)))
    best = choice.best
    tables = {name: score_table(best.ranker.with_score(part)) for name, part in inside.items()}
    curve = calibration.fit(tables["validation"])
    decision = threshold.choose(tables["validation"], curve)
    details = {
        "metrics": {name: asdict(threshold.quality(table, curve, decision)) for name, table in tables.items()},
        "importances": dict(best.importances),
        "trainer": str(choice.name),
        "trainers": [result.as_details() for result in results],
        "chosen": dict(best.size),
        "candidates": [{**candidate.size, "validation_roc_auc": candidate.roc_auc} for candidate in choice.candidates],
    }
    return ChurnModel(best.ranker, curve, decision, details)


def _register(
    job: Job, rows: DataFrame, windows: Windows, config: TrainingConfig, target: ObjectStore, training_hash: str
) -> int:
    """Score the reference window with the stored model and register the version; return its number."""
    model = artifact.load(target, job.scratch)
    with step(f"Scored and registered the reference, {windows.reference}"):
        scored = model.score(rows.where(_within(windows.reference)))
        frame = reference_frame(scored, config.reference_rows)
        simulated = in_transaction(job.engine, lambda connection: holds_simulated(connection, windows.all))
        details = {**model.details, "reference_rows": len(frame), "simulated": simulated}
        candidate = registry.Candidate(CHURN_MODEL, churn_spec(config), training_hash, frame, target.address, details)
        version = registry.register(job.engine, candidate, job.objects, job.now)
    say(_summary(version, model))
    return version


def holds_simulated(connection: Connection, days: DayRange) -> bool:
    """Return whether the features of the days were computed from simulated records."""
    looked_at = days.preceded_by(TRAILING_DAYS - 1)
    batches = select(literal(1)).where(
        ledger.c.kind.in_((ChurnBatchKind.HISTORY, ChurnBatchKind.RECORDS)),
        ledger.c.first_event < naive_utc(looked_at.end),
        ledger.c.last_event >= naive_utc(looked_at.start),
        or_(*(ledger.c.batch_id.startswith(begin, autoescape=True) for begin in SIMULATED)),
    )
    return bool(connection.execute(select(batches.exists())).scalar_one())


def _summary(version: int, model: ChurnModel) -> str:
    reference = model.details["metrics"]["reference"]
    return (
        f"Version {version} of the churn model: on its reference ROC AUC {reference['roc_auc']:.3f}, "
        f"F1 {reference['f1']:.3f}, accuracy {reference['accuracy']:.3f}; churn is predicted from a probability of "
        f"{model.threshold:.3f} on."
    )
