"""Scores the subscriber-days of a micro-batch and stores the predictions, each once, through the ledger."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from sqlalchemy import Engine

from churn.columns import CHURN_MODEL, Processed
from churn.ledger import PREDICTION_TOPIC
from churn_jobs.days import DayRange
from churn_jobs.live.subscriber_days import records_of, without_prediction
from churn_jobs.predicted import predicting
from churn_jobs.prepared import features
from churn_jobs.trainers import artifact
from churn_jobs.trainers.artifact import ChurnModel
from driftline.engine.results import ID
from driftline.errors import PredictionConflict
from driftline.store import bulk, ledger
from driftline.store.database import in_transaction
from driftline.store.versions import registry
from driftline.store.versions.registry import Version

ATTEMPTS = 3
"""How often a micro-batch is scored where `write_predictions` stores predictions of the same days meanwhile."""


@dataclass
class ServedModel:
    """The version of the churn model that is served now, and its pipeline in Spark."""

    engine: Engine
    scratch: Path
    _version: Version | None = None
    _model: ChurnModel | None = None

    def current(self) -> tuple[Version, ChurnModel]:
        """Return the version and its pipeline; a version that replaced it is loaded first.

        Raises:
            NotFound: no version is ready, or its files are missing.
        """
        with self.engine.connect() as connection:
            newest = registry.version_key(connection, CHURN_MODEL)
        if self._version is None or self._model is None or self._version.key != newest:
            version = registry.load(self.engine, CHURN_MODEL)
            self._model = artifact.load(predicting.files_of(version), self.scratch)
            self._version = version
        return self._version, self._model


@dataclass(frozen=True)
class LiveScoring:
    """Scores subscriber-days with the version that is served, and stores the predictions."""

    spark: SparkSession
    engine: Engine
    model: ServedModel
    clock: Callable[[], datetime]

    def store(self, days: pd.DataFrame) -> int:
        """Predict the subscriber-days (columns Date and User) that have no prediction; return how many were new.

        A repeated call finds the predictions stored, also after it was killed between two days. Their features are
        those of the records that are stored now, computed as for training.
        """
        for attempt in range(ATTEMPTS):
            try:
                return self._store(days)
            except PredictionConflict:
                if attempt == ATTEMPTS - 1:
                    raise
        return 0

    def _store(self, days: pd.DataFrame) -> int:
        missing = in_transaction(self.engine, lambda connection: without_prediction(connection, days))
        if missing.empty:
            return 0
        version, model = self.model.current()
        scored = model.score(self._prepared(missing)).select(*predicting.OUTPUT, ID).toPandas()
        by_day: list[date] = sorted(scored[Processed.DATE].unique().tolist())
        new = sum(self._store_day(version, day, scored[scored[Processed.DATE] == day]) for day in by_day)
        predicting.record_lineage(self.engine, version, new)
        return new

    def _prepared(self, missing: pd.DataFrame) -> DataFrame:
        """Return the features of the subscriber-days, computed from the stored records as for training."""
        days = DayRange(missing[Processed.DATE].min(), missing[Processed.DATE].max())
        users = sorted(set(missing[Processed.USER]))
        records = in_transaction(self.engine, lambda connection: records_of(connection, users, days))
        rows = predicting.with_id(features.prepare(self.spark.createDataFrame(records), days))
        return rows.join(F.broadcast(self.spark.createDataFrame(missing[[ID]])), ID, "left_semi")

    def _store_day(self, version: Version, day: date, rows: pd.DataFrame) -> int:
        ordered = rows.sort_values(ID, ignore_index=True)
        batch_id = batch_id_of(day, version.number, ordered)
        return predicting.store(self.engine, version, batch_id, ordered, self.clock(), [PREDICTION_TOPIC]).new


def batch_id_of(day: date, version: int, rows: pd.DataFrame) -> str:
    """Name a batch of live predictions by its day, the model's version and the hash of its input."""
    content = ledger.content_hash(bulk.encode(rows, (ID, *predicting.INPUT)))
    return f"live/{day}/v{version}/{content[:32]}"
