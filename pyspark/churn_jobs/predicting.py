"""Predict: subscriber-days that have no prediction yet, scored with the newest version, through the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from sqlalchemy import Connection

from churn import migrate
from churn.columns import CHURN_MODEL, FEATURES, Processed
from churn.tables import processed
from churn_jobs import artifact, processed_store, scratch, staging
from churn_jobs.artifact import COMPLEMENT, ChurnModel
from churn_jobs.batches import DayPart, predict_id
from churn_jobs.days import DayRange, RequestedDays, choose
from churn_jobs.hashing import day_parts
from churn_jobs.jdbc import Jdbc
from churn_jobs.job import Job
from churn_jobs.one_at_a_time import only_one
from churn_jobs.progress import each, say, step
from churn_jobs.reference import event_time, prediction_id
from driftline.engine.results import EVENT_TIME, ID, PREDICTION, SCORE
from driftline.errors import NotFound
from driftline.objects import ObjectStore, open_store
from driftline.store import registry
from driftline.store.database import in_transaction
from driftline.store.predictions import Written
from driftline.store.registry import Version

CURE = "Prepare days first: `python pyspark/prepare_data.py`."
PREFIX = "predict/"
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
class PredictionBatch:
    """A batch of predictions to move: its id, and the number and content hash of its rows."""

    id: str
    rows: DayPart


def predict(job: Job, requested: RequestedDays) -> Predicted:
    """Score the requested days; a repeated run, also after a killed one, gives the same table.

    Raises:
        NotFound: no version is ready, or no days are prepared. InvalidInput: the range is not available.
        Conflict: another run is active.
    """
    migrate.require_current(job.engine)
    with only_one(job.engine, "write_predictions"):
        version = registry.load(job.engine, CHURN_MODEL)
        scratch.clear_dead(job.scratch)
        target = _files_of(version)
        days = choose(requested, in_transaction(job.engine, processed_store.available), processed.name, CURE)
        with job.open_spark() as jdbc:
            predicted = _predict(job, jdbc, version, artifact.load(target, job.scratch), days)
    say(f"Predicted {days} with version {predicted.version}: {predicted.new:,} missing predictions were added.")
    return predicted


def _files_of(version: Version) -> ObjectStore:
    """Return the store with the model's files; raise NotFound if they are missing."""
    target = None if version.artifact_uri is None else open_store(version.artifact_uri)
    if target is None or not artifact.exists(target):
        raise NotFound(
            f"Version {version.number} of the churn model has no files in {version.artifact_uri}; restore them, or "
            "train a new version with `python pyspark/train_model.py`."
        )
    return target


def _predict(job: Job, jdbc: Jdbc, version: Version, model: ChurnModel, days: DayRange) -> Predicted:
    """Score the rows that have no prediction, stage them, and move each batch in its own transaction."""
    store, attempt = version.store, str(uuid4())
    in_transaction(job.engine, lambda connection: staging.clear(connection, store.staging, PREFIX))
    rows = with_identity(jdbc.read(processed, INPUT, days, processed.c[Processed.DATE]))
    stored = jdbc.read(store.table, (ID, *FEATURES), days, store.table.c[EVENT_TIME]).persist()
    scored = model.score(rows.join(stored, ID, "left_anti")).persist()
    try:
        with step(f"Scored {days}"):
            batches = _batches(scored, version.number)
        changed = count_changed(rows, stored)
        say(f"Stored predictions whose features have changed since: {changed:,} (they stay as they are).")
        _stage(job, jdbc, version, scored, batches, attempt)
        return Predicted(version.number, days, _move(job, version, batches, attempt), changed)
    finally:
        scored.unpersist()
        stored.unpersist()


def with_identity(rows: DataFrame) -> DataFrame:
    """Add the prediction's id and event time to prepared rows."""
    return rows.withColumns({ID: prediction_id(), EVENT_TIME: event_time()})


def count_changed(rows: DataFrame, stored: DataFrame) -> int:
    """Count stored predictions whose features have changed or whose row was deleted; NULL equals NULL."""
    now = rows.select(ID, *(F.col(name).cast("double").alias(f"now_{name}") for name in FEATURES), F.lit(1).alias("is"))
    same = F.col("is").isNotNull()
    for name in FEATURES:
        same = same & F.col(name).eqNullSafe(F.col(f"now_{name}"))
    return stored.join(now, ID, "left").where(~same).count()


def _batches(scored: DataFrame, version: int) -> list[PredictionBatch]:
    """Return the batches, named by the hash of their input, with the hash of their predictions."""
    output: tuple[str | Column, ...] = (*OUTPUT, F.lit(version).alias("model_version"))
    parts = day_parts(scored, {"input": INPUT, "output": output})
    return [
        PredictionBatch(predict_id(made_from, version), rows)
        for made_from, rows in zip(parts["input"], parts["output"], strict=True)
    ]


def _stage(
    job: Job, jdbc: Jdbc, version: Version, scored: DataFrame, batches: Sequence[PredictionBatch], attempt: str
) -> None:
    if not batches:
        return
    store = version.store
    batch_ids = {batch.rows.part: batch.id for batch in batches}
    constants = {"model_version": F.lit(version.number), "scored_at": F.lit(job.now)}
    named = staging.with_batches(jdbc.spark, scored.withColumns(constants), batch_ids, attempt)
    with step(f"Staged {sum(batch.rows.rows for batch in batches):,} predictions"):
        jdbc.append(named.select("batch_id", "attempt", *store.columns), store.staging)


def _move(job: Job, version: Version, batches: Sequence[PredictionBatch], attempt: str) -> int:
    if not batches:
        return 0
    with step(f"Moved {len(batches)} batches"):
        return sum(_move_batch(job, version, batch, attempt).new for batch in each(batches, "Moving"))


def _move_batch(job: Job, version: Version, batch: PredictionBatch, attempt: str) -> Written:
    store = version.store

    def move(connection: Connection) -> Written:
        staging.require_staged(connection, store.staging, batch.id, attempt, batch.rows.rows)
        return store.move(connection, batch.id, attempt, batch.rows.content_hash, job.now)

    return in_transaction(job.engine, move)
