"""What every trainer does, so that training, evaluation and scoring know none of them. No I/O here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from churn.columns import Processed
from churn_jobs.configuration import TrainingConfig
from churn_jobs.trainers.score_table import STEP, ScoreTable

RAW_SCORE = "raw_score"
"""The column with a ranker's score of class 1, between 0 and 1, before its calibration."""


class Ranker(Protocol):
    """A fitted model without calibration and threshold."""

    def with_score(self, rows: DataFrame) -> DataFrame:
        """Add `RAW_SCORE` to rows that have the features."""
        ...


@dataclass(frozen=True)
class Fitted:
    """A candidate after its fit: its size, how well it ranks validation (ROC AUC), and its features' importances.

    `importances` are shares of the trees' gain, largest first, which sum to 1.
    """

    size: Mapping[str, Any]
    ranker: Ranker
    roc_auc: float
    importances: Mapping[str, float]


class Trainer(Protocol):
    """Fits its candidates on the labelled rows of `train` and returns them, the best on `validation` first."""

    def __call__(self, train: DataFrame, validation: DataFrame, config: TrainingConfig) -> list[Fitted]:
        """Fit the candidates of the configuration; the same rows and configuration give the same models."""
        ...


def score_table(scored: DataFrame) -> ScoreTable:
    """Count the labelled rows by score."""
    label = F.col(Processed.LABEL)
    bins = F.round(F.col(RAW_SCORE) / F.lit(STEP)).cast("long").alias("bin")
    counted = (
        scored.where(label.isNotNull())
        .groupBy(bins)
        .agg(F.count(F.lit(1)).alias("rows"), F.sum(label).alias("positives"))
        .collect()
    )
    return ScoreTable.of(*([row[name] for row in counted] for name in ("bin", "rows", "positives")))


def sort_by_size(shares: Mapping[str, float]) -> dict[str, float]:
    """Return importances, largest first."""
    return dict(sorted(shares.items(), key=lambda pair: -pair[1]))
