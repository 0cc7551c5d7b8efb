"""Scores the subscriber-days of a micro-batch and stores the predictions, each once, through the ledger."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyspark.sql import SparkSession
from sqlalchemy import Engine

from churn.columns import CHURN_MODEL, Processed
from churn.ledger import PREDICTION_TOPIC
from churn_jobs.days import DayRange
from churn_jobs.live.scoring_plan import ScoringPlan
from churn_jobs.live.subscriber_days import mark, records_of, without_prediction
from churn_jobs.predicted import predicting
from churn_jobs.trainers import artifact
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
    """The version of the churn model that is served now, and the plan by which Spark scores with it."""

    spark: SparkSession
    engine: Engine
    scratch: Path
    _version: Version | None = None
    _plan: ScoringPlan | None = None

    def current(self) -> tuple[Version, ScoringPlan]:
        """Return the version and its plan; a version that replaced it is loaded first.

        Raises:
            NotFound: no version is ready, or its files are missing.
        """
        with self.engine.connect() as connection:
            newest = registry.version_key(connection, CHURN_MODEL)
        if self._version is None or self._plan is None or self._version.key != newest:
            version = registry.load(self.engine, CHURN_MODEL)
            model = artifact.load(predicting.files_of(version), self.scratch)
            self._plan = ScoringPlan.of(self.spark, model, self.scratch)
            self._version = version
        return self._version, self._plan


@dataclass(frozen=True)
class LiveScoring:
    """Scores subscriber-days with the version that is served, and stores the predictions."""

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
        version, plan = self.model.current()
        scored = plan.score(self._records(missing))
        by_day: list[date] = sorted(scored[Processed.DATE].unique().tolist())
        new = sum(self._store_day(version, day, scored[scored[Processed.DATE] == day]) for day in by_day)
        predicting.record_lineage(self.engine, version, new)
        return new

    def _records(self, missing: pd.DataFrame) -> pa.Table:
        """Return the stored records of the subscribers' trailing days; those of the days to predict are marked."""
        days = DayRange(missing[Processed.DATE].min(), missing[Processed.DATE].max())
        users = sorted(set(missing[Processed.USER]))
        records = in_transaction(self.engine, lambda connection: records_of(connection, users, days))
        return mark(records, missing)

    def _store_day(self, version: Version, day: date, rows: pd.DataFrame) -> int:
        ordered = rows.sort_values(ID, ignore_index=True)
        batch_id = batch_id_of(day, version.number, ordered)
        return predicting.store(self.engine, version, batch_id, ordered, self.clock(), [PREDICTION_TOPIC]).new


def batch_id_of(day: date, version: int, rows: pd.DataFrame) -> str:
    """Name a batch of live predictions by its day, the model's version and the hash of its input."""
    content = ledger.content_hash(bulk.encode(rows, (ID, *predicting.INPUT)))
    return f"live/{day}/v{version}/{content[:32]}"
