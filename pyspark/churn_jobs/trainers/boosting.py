"""Boosted trees of scikit-learn, on the same rows and features as the forest, scored by Spark without scikit-learn.

Trees split by order alone, so the features need no log1p, and a missing value goes to the side that training chose.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import treelite
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import DoubleType, StructField, StructType

from churn.columns import FEATURES, Processed
from churn_jobs.configuration import BoostingSize, TrainingConfig
from churn_jobs.trainers.reference import thinned
from churn_jobs.trainers.trainer import RAW_SCORE, Fitted, score_table, sort_by_size
from driftline.artifacts.batch_scores import with_output
from driftline.artifacts.inputs import Inputs
from driftline.artifacts.saving import convert_trees


@dataclass(frozen=True)
class TreesRanker:
    """Trees as data, and the features that they take."""

    inputs: Inputs
    trees: treelite.Model

    def with_score(self, rows: DataFrame) -> DataFrame:
        """Add the trees' probability of class 1; Spark's workers evaluate them with treelite."""
        schema = StructType([*rows.schema.fields, StructField(RAW_SCORE, DoubleType())])
        score = partial(with_output, self.trees.serialize_bytes(), self.inputs.features, RAW_SCORE)
        return rows.mapInArrow(score, schema)


def fit_best(train: DataFrame, validation: DataFrame, config: TrainingConfig) -> list[Fitted]:
    """Fit every candidate on the labelled rows of `train` and return them, the best on `validation` first."""
    labelled = thinned(train.where(F.col(Processed.LABEL).isNotNull()), config.boosting_rows)
    columns = (F.col(name).cast("double") for name in FEATURES)
    in_order = labelled.orderBy(Processed.DATE, Processed.USER)
    frame = in_order.select(*columns, F.col(Processed.LABEL).cast("short")).toPandas()
    fitted = [_fit(frame, validation, size, config) for size in config.boosting_candidates]
    return sorted(fitted, key=lambda candidate: -candidate.roc_auc)


def _fit(frame: pd.DataFrame, validation: DataFrame, size: BoostingSize, config: TrainingConfig) -> Fitted:
    """Fit one candidate, and measure its ROC AUC on the validation window as saved trees."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415  (a second to import)

    estimator = HistGradientBoostingClassifier(
        max_iter=size.trees,
        max_leaf_nodes=size.leaves,
        learning_rate=size.learning_rate,
        min_samples_leaf=config.minimum_leaf_rows,
        early_stopping=False,
        random_state=config.seed,
    )
    features = frame[[*FEATURES]]
    estimator.fit(features, frame[Processed.LABEL])
    ranker = TreesRanker(Inputs(FEATURES), convert_trees(estimator, features.head(SAMPLE)))
    roc_auc = score_table(ranker.with_score(validation)).roc_auc() or 0.0
    return Fitted(size.model_dump(), ranker, roc_auc, _importances(ranker.trees))


SAMPLE = 1_000
"""Rows on which the saved trees must score as the estimator does."""


def _importances(trees: treelite.Model) -> dict[str, float]:
    """Return each feature's share of the gain of all splits."""
    gains = np.zeros(len(FEATURES))
    for number in range(trees.num_tree):
        tree = trees.get_tree_accessor(number)
        feature, gain = tree.get_field("split_index"), tree.get_field("gain")
        split = feature >= 0
        np.add.at(gains, feature[split], gain[split])
    total = float(gains.sum()) or 1.0
    return sort_by_size({name: float(gain) / total for name, gain in zip(FEATURES, gains, strict=True)})
