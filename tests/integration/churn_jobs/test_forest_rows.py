"""The forest is fitted on whole subscribers of a sample, always the same ones, where there are too many rows."""

from datetime import date, timedelta

import pyarrow as pa
from pyspark.ml.classification import RandomForestClassificationModel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from churn.columns import Cdr, Processed
from churn_jobs.configuration import ForestSize, TrainingConfig
from churn_jobs.days import DayRange
from churn_jobs.live.subscriber_days import RECORDS
from churn_jobs.prepared import features
from churn_jobs.trainers import forest
from tests.integration.churn_jobs.raw_records import odd_records

FIRST, DAYS = date(2026, 1, 1), 24
CONFIG = TrainingConfig(candidates=(ForestSize(trees=3, depth=3),), forest_rows=1_000)
ALL_ROWS = TrainingConfig(candidates=CONFIG.candidates)


def test_a_sample_of_subscribers_is_fitted(spark: SparkSession) -> None:
    records = odd_records(FIRST, DAYS, 90)
    table = pa.Table.from_pandas(
        records[RECORDS.names].assign(**{Cdr.DATE: records[Cdr.DATE].dt.date}), RECORDS, preserve_index=False
    )
    days = DayRange(FIRST, FIRST + (DAYS - 1) * timedelta(days=1))
    rows = features.prepare(spark.createDataFrame(table), days).persist()
    labelled = rows.where(F.col(Processed.LABEL).isNotNull())
    share = int(1_000 / labelled.count() * 10_000)
    sample = labelled.where(F.pmod(F.crc32(Processed.USER), F.lit(10_000)) < share)
    assert 0 < sample.count() < labelled.count()
    assert (
        fitted(rows, CONFIG) == fitted(sample, CONFIG) == fitted(sample, TrainingConfig(candidates=CONFIG.candidates))
    )
    assert fitted(rows, CONFIG) != fitted(rows, TrainingConfig(candidates=CONFIG.candidates))
    rows.unpersist()


def fitted(train: DataFrame, config: TrainingConfig) -> str:
    (candidate,) = forest.fit_best(train, train, config)
    assert isinstance(candidate.ranker, forest.ForestRanker)
    trees = candidate.ranker.pipeline.stages[-1]
    assert isinstance(trees, RandomForestClassificationModel)
    return trees.toDebugString
