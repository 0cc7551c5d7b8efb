"""Predict: subscriber-days that have no prediction yet, scored with the champion, through the ledger."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812
from sqlalchemy import Connection, Engine

from churn import migrate
from churn.columns import CHURN_MODEL, FEATURES, Processed
from churn.tables import churn_predictions, processed
from churn_jobs import scratch
from churn_jobs.batches import DayPart, predict_id
from churn_jobs.days import DayRange, RequestedDays, choose
from churn_jobs.hashing import day_parts
from churn_jobs.predicted import predicted_store
from churn_jobs.predicted.scored_files import ScoredFiles
from churn_jobs.prepared import processed_store
from churn_jobs.progress import each, say, step
from churn_jobs.spark.jdbc import Jdbc
from churn_jobs.spark.job import Job
from churn_jobs.trainers import artifact
from churn_jobs.trainers.artifact import COMPLEMENT, ChurnModel
from churn_jobs.trainers.reference import prediction_id
from driftline.engine.results import EVENT_TIME, ID, PREDICTION, SCORE
from driftline.errors import NotFound
from driftline.lineage import runs
from driftline.lineage.datasets import artifact_of, fields_of, predictions_of, table_dataset
from driftline.objects import ObjectStore, open_store
from driftline.store import ledger
from driftline.store.database import in_transaction
from driftline.store.job_lock import only_one
from driftline.store.rows.encoding.prediction_schema import MODEL_VERSION, SCORED_AT
from driftline.store.rows.writing.prediction_writer import Written
from driftline.store.versions import registry
from driftline.store.versions.registry import Version
from driftline.tracking.training_runs import run_id_of

CURE = "Prepare days first: `python pyspark/prepare_data.py`."
INPUT = (Processed.DATE, Processed.USER, *FEATURES)
OUTPUT = (*INPUT, PREDICTION, COMPLEMENT, SCORE)


@dataclass(frozen=True, slots=True)
class Predicted:
    """The result of a run: the model version, the days, the new predictions and the outdated ones.

    `changed` counts stored predictions whose features differ from those in `Processed_Data` now; they do not change.
    """

    version: int
    days: DayRange
    new: int
    changed: int


@dataclass(frozen=True, slots=True)
class ScoredBatch:
    """Rows to store: their batch's id, and the rows that they were made from, by number and content hash."""

    id: str
    rows: DayPart


def predict(job: Job, requested: RequestedDays) -> Predicted:
    """Score the requested days; a repeated run, also after a killed one, gives the same table.

    Raises:
        NotFound: no version is ready, or no days are prepared. InvalidInput: the range is not available.
        Conflict: another run is active.
    """
    migrate.require_current(job.engine)
    runs.read(table_dataset(job.engine.url, processed))
    with only_one(job.engine, "write_predictions"):
        version = registry.load(job.engine, CHURN_MODEL)
        scratch.clear_dead(job.scratch)
        target = files_of(version)
        days = choose(requested, in_transaction(job.engine, processed_store.available), processed.name, CURE)
        with job.open_spark() as jdbc:
            predicted = _predict(job, jdbc, version, artifact.load(target, job.scratch), days)
    runs.note(days=str(days), rows_outdated=predicted.changed)
    record_lineage(job.engine, version, predicted.new)
    say(f"Predicted {days} with version {predicted.version}: {predicted.new:,} missing predictions were added.")
    return predicted


def record_lineage(engine: Engine, version: Version, new: int) -> None:
    """Record with which version predictions were made, and where they are."""
    runs.read(artifact_of(version.name, version.number))
    runs.wrote(
        predictions_of(version.name, fields_of(version.store.schema.all), rows=new),
        table_dataset(engine.url, churn_predictions, rows=new),
    )
    runs.note(model=version.name, model_version=version.number, spec_revision=version.spec_revision)
    runs.note(mlflow_run=run_id_of(version.details))


def files_of(version: Version) -> ObjectStore:
    """Return the store with the model's files; raise NotFound if they are missing."""
    target = None if version.artifact_uri is None else open_store(version.artifact_uri)
    if target is None or not artifact.exists(target):
        raise NotFound(
            f"Version {version.number} of the churn model has no files in {version.artifact_uri}; restore them, or "
            "train a new version with `python pyspark/train_model.py`."
        )
    return target


def _predict(job: Job, jdbc: Jdbc, version: Version, model: ChurnModel, days: DayRange) -> Predicted:
    """Score the days' rows that have no prediction yet, and store the predictions in batches."""
    rows = with_id(jdbc.read(processed, INPUT, days, processed.c[Processed.DATE]))
    stored = jdbc.read(churn_predictions, (ID, *FEATURES), days, churn_predictions.c[Processed.DATE]).persist()
    scored = model.score(rows.join(stored, ID, "left_anti")).persist()
    try:
        with step(f"Scored {days}"):
            batches = _batches(scored, version.number)
        changed = count_changed(rows, stored)
        say(f"Stored predictions whose features have changed since: {changed:,} (they stay as they are).")
        return Predicted(version.number, days, _store(job, version, scored, batches), changed)
    finally:
        scored.unpersist()
        stored.unpersist()


def with_id(rows: DataFrame) -> DataFrame:
    """Add the prediction's id to prepared rows."""
    return rows.withColumn(ID, prediction_id())


def count_changed(rows: DataFrame, stored: DataFrame) -> int:
    """Count stored predictions whose features have changed or whose row was deleted; NULL equals NULL."""
    now = rows.select(ID, *(F.col(name).cast("double").alias(f"now_{name}") for name in FEATURES), F.lit(1).alias("is"))
    same = F.col("is").isNotNull()
    for name in FEATURES:
        same = same & F.col(name).eqNullSafe(F.col(f"now_{name}"))
    return stored.join(now, ID, "left").where(~same).count()


def _batches(scored: DataFrame, version: int) -> list[ScoredBatch]:
    """Name the batches by the rows that they were made from."""
    return [ScoredBatch(predict_id(rows, version), rows) for rows in day_parts(scored, INPUT)]


def _store(job: Job, version: Version, scored: DataFrame, batches: Sequence[ScoredBatch]) -> int:
    """Store the batches; return how many predictions were new."""
    if not batches:
        return 0
    with step(f"Wrote {sum(batch.rows.rows for batch in batches):,} predictions to files"):
        files = ScoredFiles.write(job.scratch, scored.select(*OUTPUT, ID), batches[0].rows.part.parts)
    with step(f"Stored {len(batches)} batches"):
        return sum(_store_batch(job, version, batch, files).new for batch in each(batches, "Storing"))


def _store_batch(job: Job, version: Version, batch: ScoredBatch, files: ScoredFiles) -> Written:
    return store(job.engine, version, batch.id, files.read(batch.rows), job.now)


def store(
    engine: Engine, version: Version, batch_id: str, rows: pd.DataFrame, now: datetime, consumers: Collection[str] = ()
) -> Written:
    """Store the scored rows of one day (columns `OUTPUT` and id) as a batch, for the monitor and in the own table.

    A new batch is pending for `consumers` too.

    Raises:
        PredictionConflict: a prediction is stored with other content.
    """
    event_time = pd.Timestamp(rows[Processed.DATE].iloc[0], tz="UTC")
    frame = rows.assign(**{EVENT_TIME: event_time, SCORED_AT: pd.Timestamp(now)}, **{MODEL_VERSION: version.number})

    def write(connection: Connection) -> Written:
        written = version.store.write(connection, batch_id, frame, now)
        if written.new:
            predicted_store.add(connection, batch_id, frame, all_new=not written.same)
            ledger.add_pending(connection, ledger.number_of(connection, batch_id), consumers)
        return written

    written = in_transaction(engine, write)
    if written.new:
        runs.note_batch(batch_id)
    return written
