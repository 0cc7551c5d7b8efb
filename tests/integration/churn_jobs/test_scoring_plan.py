"""One plan, executed for one file of records after another, scores them as the batch job does, to the last bit."""

from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from churn.columns import TRAILING_DAYS, Cdr, Processed
from churn_jobs.configuration import ForestSize, TrainingConfig
from churn_jobs.days import DayRange
from churn_jobs.live.scoring_plan import ScoringPlan
from churn_jobs.live.subscriber_days import RECORDS, mark
from churn_jobs.predicted import predicting
from churn_jobs.prepared import features
from churn_jobs.trainers import forest
from churn_jobs.trainers.artifact import ChurnModel
from churn_jobs.trainers.calibration import LogisticCalibration
from driftline.engine.results import ID
from tests.integration.churn_jobs.raw_records import odd_records

FIRST, DAY = date(2026, 1, 1), timedelta(days=1)
CONFIG = TrainingConfig(candidates=(ForestSize(trees=5, depth=3),))


@pytest.fixture(scope="module")
def records() -> pd.DataFrame:
    return odd_records(FIRST, 24, 40)


@pytest.fixture(scope="module")
def model(spark: SparkSession, records: pd.DataFrame) -> ChurnModel:
    rows = features.prepare(frame_of(spark, records), DayRange(FIRST, FIRST + 15 * DAY)).persist()
    (fitted,) = forest.fit_best(rows, rows, CONFIG)
    rows.unpersist()
    return ChurnModel(fitted.ranker, LogisticCalibration(0.1, 1.3), 0.5, {})


def frame_of(spark: SparkSession, records: pd.DataFrame) -> DataFrame:
    return spark.createDataFrame(table_of(records))


def table_of(records: pd.DataFrame) -> pa.Table:
    named = records[RECORDS.names].assign(**{Cdr.DATE: records[Cdr.DATE].dt.date})
    return pa.Table.from_pandas(named, RECORDS, preserve_index=False)


def sorted_by_id(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sort_values(ID, ignore_index=True)


def test_each_execution_scores_its_own_records(
    spark: SparkSession, records: pd.DataFrame, model: ChurnModel, tmp_path: Path
) -> None:
    plan = ScoringPlan.of(spark, model, tmp_path)
    days = records[Cdr.DATE].dt.date
    for day in (FIRST + 16 * DAY, FIRST + 20 * DAY, FIRST + 23 * DAY):
        wanted = sorted(records[Cdr.MSISDN][days == day].unique())[1:]
        window = records[(days > day - TRAILING_DAYS * DAY) & (days <= day) & records[Cdr.MSISDN].isin(wanted)]
        missing = pd.DataFrame({ID: [f"{day}/{user}" for user in wanted]})
        batch = predicting.with_id(features.prepare(frame_of(spark, records), DayRange(day, day)))
        expected = model.score(batch.where(F.col(ID).isin(*missing[ID]))).select(*predicting.OUTPUT, ID).toPandas()
        actual = plan.score(mark(table_of(window), missing))
        assert actual[Processed.USER].nunique() == len(wanted) > 20
        pd.testing.assert_frame_equal(sorted_by_id(actual), sorted_by_id(expected), check_exact=True)


def test_a_plan_that_shuffles_is_refused(
    spark: SparkSession, model: ChurnModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shuffle keeps what it has written, so a second execution would score the records of the first."""
    with monkeypatch.context() as patched, pytest.raises(RuntimeError, match="shuffles"):
        patched.setattr(features, "clean", lambda frame: frame.repartition(2))
        ScoringPlan.of(spark, model, tmp_path)
