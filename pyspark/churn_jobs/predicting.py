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
from churn_jobs.days import AskedRange, DayRange, choose
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
    """What a run did: the version it scored with, the predictions it added, and how many stored ones look outdated.

    `changed` counts stored predictions whose features are other ones in `Processed_Data` now; they stay as they are.
    """

    version: int
    days: DayRange
    new: int
    changed: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows to move: their batch's id, and what its predictions are, by number and content hash."""

    id: str
    rows: DayPart


def predict(job: Job, asked: AskedRange) -> Predicted:
    """Score the asked prepared days; run again, or killed and run again, it ends in the same table.

    Raises:
        NotFound: no version is ready, or nothing is prepared. InvalidInput: the range does not fit.
        Conflict: another run is at work.
    """
    migrate.require_current(job.engine)
    with only_one(job.engine, "write_predictions"):
        version = registry.load(job.engine, CHURN_MODEL)
        scratch.clear_dead(job.scratch)
        target = _files_of(version)
        days = choose(asked, in_transaction(job.engine, processed_store.available), processed.name, CURE)
        with job.open_spark() as jdbc:
            done = _predict(job, jdbc, version, artifact.load(target, job.scratch), days)
    say(f"Predicted {days} with version {done.version}: {done.new:,} predictions were missing and are there now.")
    return done


def _files_of(version: Version) -> ObjectStore:
    target = None if version.artifact_uri is None else open_store(version.artifact_uri)
    if target is None or not artifact.exists(target):
        raise NotFound(
            f"Version {version.number} of the churn model has no files in {version.artifact_uri}; bring them back, or "
            "train a new version with `python pyspark/train_model.py`."
        )
    return target


def _predict(job: Job, jdbc: Jdbc, version: Version, model: ChurnModel, days: DayRange) -> Predicted:
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
    """Count stored predictions whose features are other ones now, or whose row is gone; NULL equals NULL."""
    now = rows.select(ID, *(F.col(name).cast("double").alias(f"now_{name}") for name in FEATURES), F.lit(1).alias("is"))
    same = F.col("is").isNotNull()
    for name in FEATURES:
        same = same & F.col(name).eqNullSafe(F.col(f"now_{name}"))
    return stored.join(now, ID, "left").where(~same).count()


def _batches(scored: DataFrame, version: int) -> list[Batch]:
    """Name the batches by what they were made from; hash what they hold."""
    output: tuple[str | Column, ...] = (*OUTPUT, F.lit(version).alias("model_version"))
    found = day_parts(scored, {"input": INPUT, "output": output})
    return [
        Batch(predict_id(made_from, version), rows)
        for made_from, rows in zip(found["input"], found["output"], strict=True)
    ]


def _stage(job: Job, jdbc: Jdbc, version: Version, scored: DataFrame, batches: Sequence[Batch], attempt: str) -> None:
    if not batches:
        return
    store = version.store
    batch_ids = {batch.rows.part: batch.id for batch in batches}
    constants = {"model_version": F.lit(version.number), "scored_at": F.lit(job.now)}
    named = staging.with_batches(jdbc.spark, scored.withColumns(constants), batch_ids, attempt)
    with step(f"Staged {sum(batch.rows.rows for batch in batches):,} predictions"):
        jdbc.append(named.select("batch_id", "attempt", *store.columns), store.staging)


def _move(job: Job, version: Version, batches: Sequence[Batch], attempt: str) -> int:
    if not batches:
        return 0
    with step(f"Moved {len(batches)} batches"):
        return sum(_move_one(job, version, batch, attempt).new for batch in each(batches, "Moving"))


def _move_one(job: Job, version: Version, batch: Batch, attempt: str) -> Written:
    store = version.store

    def move(connection: Connection) -> Written:
        staging.require_staged(connection, store.staging, batch.id, attempt, batch.rows.rows)
        return store.move(connection, batch.id, attempt, batch.rows.content_hash, job.now)

    return in_transaction(job.engine, move)
