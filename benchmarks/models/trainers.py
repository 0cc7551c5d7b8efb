"""The trainers on 1,000,000 rows beside Spark's random forest with its defaults on all rows: seconds and ROC AUC."""

import argparse
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
from pyspark.ml import PipelineModel
from pyspark.ml.classification import RandomForestClassifier
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from benchmarks.measuring import Better, RatioTarget, conclude, machine, timed
from churn.columns import Cdr, Processed
from churn_jobs.configuration import TrainingConfig
from churn_jobs.days import DAY, DayRange
from churn_jobs.prepared import features
from churn_jobs.spark.session import spark_session
from churn_jobs.spark.settings import JobSettings
from churn_jobs.trainers import boosting, forest
from churn_jobs.trainers.reference import thinned
from churn_jobs.trainers.trainer import RAW_SCORE, Ranker
from driftline.engine.comparison.paired_roc_auc import paired_roc_auc
from flaskapp.world import Parameters, World

ROWS, TRAIN_DAYS, TEST_DAYS, GAP_DAYS = 1_000_000, 56, 10, 3
FIRST = date(2026, 1, 1)
AIM = RatioTarget(0.5, Better.LOWER)
MEMORY = "6g"
RUNS = 2
WARM_UP_ROWS = 20_000


def main() -> None:
    """Print the seconds of each trainer, and its ROC AUC on later days with its error by subscriber."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=ROWS, help="rows of the train window")
    parser.add_argument("--runs", type=int, default=RUNS, help="fits of each trainer")
    arguments = parser.parse_args()
    rows = arguments.rows
    print(f"Trainers on {rows:,} rows ({machine()})", flush=True)
    settings = JobSettings(driver_memory=MEMORY)
    with tempfile.TemporaryDirectory(prefix="driftline-bench-") as folder, spark_session("bench", settings) as spark:
        train, test = prepared(spark, Path(folder), rows)
        train.persist().count()
        test.persist().count()
        compare(train, test, arguments.runs)


def prepared(spark: SparkSession, folder: Path, rows: int) -> tuple[DataFrame, DataFrame]:
    """Return the prepared rows of a train window, and those of a later one, from files."""
    days = DayRange(FIRST, FIRST + (TRAIN_DAYS + GAP_DAYS + TEST_DAYS - 1) * DAY)
    labelled_on = days.last + GAP_DAYS * DAY
    world = World(Parameters(seed=11, start_date=FIRST - 6 * DAY, subscribers=round(rows / TRAIN_DAYS / 0.95)))
    for place in range(len(days) + 6):
        day = world.parameters.start_date + place * DAY
        records = world.records_of_day(day, labelled_on)[list(features.SOURCES)]
        target = folder / f"{day}.parquet"
        records.assign(**{Cdr.DATE: records[Cdr.DATE].dt.as_unit("us")}).to_parquet(target, index=False)
    stored = folder / "prepared"
    features.prepare(spark.read.parquet(f"file://{folder}/*.parquet"), days).write.parquet(stored.as_uri())
    frame = spark.read.parquet(stored.as_uri()).where(F.col(Processed.LABEL).isNotNull())
    in_train = F.col(Processed.DATE) < F.lit(FIRST + TRAIN_DAYS * DAY)
    in_test = F.col(Processed.DATE) >= F.lit(FIRST + (TRAIN_DAYS + GAP_DAYS) * DAY)
    return frame.where(in_train), frame.where(in_test)


def compare(train: DataFrame, test: DataFrame, runs: int) -> None:
    """Fit each trainer in turn, and print the fastest of its runs."""
    config = TrainingConfig()
    first = {"candidates": config.candidates[:1], "boosting_candidates": config.boosting_candidates[:1]}
    alone = config.model_copy(update=first)
    forest.fit_best(thinned(train, WARM_UP_ROWS), test, alone)  # Spark loads and compiles its classes
    trainers: dict[str, Callable[[], Ranker]] = {
        "Spark's defaults (20 trees, depth 5, all rows)": lambda: spark_defaults(train),
        "spark_forest, first candidate alone": lambda: forest.fit_best(train, test, alone)[0].ranker,
        "spark_forest": lambda: forest.fit_best(train, test, config)[0].ranker,
        "boosting, first candidate alone": lambda: boosting.fit_best(train, test, alone)[0].ranker,
        "boosting": lambda: boosting.fit_best(train, test, config)[0].ranker,
    }
    seconds: dict[str, list[float]] = {name: [] for name in trainers}
    rankers: dict[str, Ranker] = {}
    for _ in range(runs):
        for name, fit in trainers.items():
            seconds[name].append(timed(lambda: rankers.update({name: fit()})))  # noqa: B023  # called at once
    scores = {name: scored(ranker, test) for name, ranker in rankers.items()}
    defaults = next(iter(trainers))
    for name in trainers:
        show(name, seconds[name], scores[defaults], scores[name])
    for name in [*trainers][1:]:
        conclude(f"{name}, times Spark's defaults", min(seconds[name]) / min(seconds[defaults]), AIM)


def spark_defaults(train: DataFrame) -> Ranker:
    """Fit Spark's random forest with its defaults on all rows, prepared as for the trainers."""
    stages, weighted = forest.prepare_rows(train)
    trees = RandomForestClassifier(featuresCol=forest.VECTOR, labelCol=forest.LABEL, probabilityCol=forest.PROBABILITY)
    return forest.ForestRanker(PipelineModel(stages=[*stages.stages, trees.fit(weighted)]))


def scored(ranker: Ranker, test: DataFrame) -> pd.DataFrame:
    """Return user, label and score of the test rows, in one order."""
    columns = [Processed.DATE, Processed.USER, Processed.LABEL, RAW_SCORE]
    return ranker.with_score(test).select(*columns).toPandas().sort_values(columns[:2], ignore_index=True)


def show(name: str, seconds: list[float], first: pd.DataFrame, second: pd.DataFrame) -> None:
    """Print the seconds of a trainer, and its ROC AUC beside that of the defaults."""
    subjects, _ = pd.factorize(first[Processed.USER])
    labels = first[Processed.LABEL].to_numpy(float)
    compared = paired_roc_auc(labels, first[RAW_SCORE].to_numpy(), second[RAW_SCORE].to_numpy(), subjects)
    runs = ", ".join(f"{value:.1f}" for value in seconds)
    print(
        f"  {name:<48} {runs} s   ROC AUC {compared.second:.4f} ± {compared.second_error:.4f}"
        f" (difference {compared.difference:+.4f} ± {compared.difference_error:.4f})",
        flush=True,
    )


if __name__ == "__main__":
    main()
