"""The random forest: its pipeline, its fit, and its ranking of a window. No I/O here.

The stages are log1p of each feature, the imputer (medians of the train window) and the trees. A fit is reproducible:
rows come in fixed partitions, and class weights are rounded so that their sums are exact in any order.
"""

from dataclasses import dataclass
from typing import Any

from pyspark.ml import Estimator, Pipeline, PipelineModel, Transformer
from pyspark.ml.classification import RandomForestClassificationModel, RandomForestClassifier
from pyspark.ml.feature import Imputer, SQLTransformer, VectorAssembler
from pyspark.ml.functions import vector_to_array
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from churn.columns import FEATURES, Processed
from churn_jobs.configuration import ForestSize, TrainingConfig
from churn_jobs.trainers.reference import thinned
from churn_jobs.trainers.stage_names import name_pipeline, name_stage
from churn_jobs.trainers.trainer import RAW_SCORE, Fitted, score_table, sort_by_size

PARTITIONS = 4
WEIGHT_STEP = 2.0**-10
LABEL, WEIGHT, VECTOR, PROBABILITY = "forest_label", "class_weight", "forest_features", "forest_probability"
LOGGED = tuple(f"log_{name}" for name in FEATURES)
FILLED = tuple(f"filled_{name}" for name in FEATURES)
LOG1P = "SELECT *, " + ", ".join(f"log1p({name}) AS log_{name}" for name in FEATURES) + " FROM __THIS__"  # noqa: S608
"""A statement over the names above: a stage that is saved with the model and needs no Python."""


@dataclass(frozen=True)
class ForestRanker:
    """A fitted pipeline: log1p, imputer, assembler and trees."""

    pipeline: PipelineModel

    def with_score(self, rows: DataFrame) -> DataFrame:
        """Add the forest's share of class 1."""
        score = vector_to_array(F.col(PROBABILITY))[1].alias(RAW_SCORE)
        return self.pipeline.transform(rows).select(*rows.columns, score)


def fit_best(train: DataFrame, validation: DataFrame, config: TrainingConfig) -> list[Fitted]:
    """Fit every candidate on the labelled rows of `train` and return them, the best on `validation` first."""
    labelled = thinned(train.where(F.col(Processed.LABEL).isNotNull()), config.forest_rows)
    prepared, weighted = prepare_rows(labelled)
    weighted.persist()
    try:
        fitted = [_fit(prepared, weighted, validation, size, config) for size in config.candidates]
    finally:
        weighted.unpersist()
    return sorted(fitted, key=lambda candidate: -candidate.roc_auc)


def prepare_rows(rows: DataFrame) -> tuple[PipelineModel, DataFrame]:
    """Fit the stages before the trees on labelled rows; return them and the transformed rows."""
    labelled = rows.withColumn(LABEL, F.col(Processed.LABEL).cast("double"))
    in_order = labelled.repartition(PARTITIONS, Processed.USER).sortWithinPartitions(Processed.DATE, Processed.USER)
    stages: list[Transformer | Estimator[Any]] = [
        name_stage(SQLTransformer(statement=LOG1P), "log1p"),
        name_stage(Imputer(strategy="median", inputCols=list(LOGGED), outputCols=list(FILLED)), "imputer"),
        name_stage(VectorAssembler(inputCols=list(FILLED), outputCol=VECTOR), "assembler"),
    ]
    fitted = Pipeline(stages=stages).fit(in_order.coalesce(1))
    weights = class_weights(labelled)
    return fitted, fitted.transform(in_order).select(VECTOR, LABEL, _weight(weights).alias(WEIGHT))


def class_weights(labelled: DataFrame) -> dict[float, float]:
    """Return class weights that give both classes the same total weight, which needs no resampling."""
    counts = {float(row[LABEL]): int(row["count"]) for row in labelled.groupBy(LABEL).count().collect()}
    rows = sum(counts.values())
    fair = {label: rows / (len(counts) * count) for label, count in counts.items()}
    return {label: max(round(weight / WEIGHT_STEP), 1) * WEIGHT_STEP for label, weight in fair.items()}


def _weight(weights: dict[float, float]) -> Column:
    return F.when(F.col(LABEL) == 1.0, F.lit(weights[1.0])).otherwise(F.lit(weights[0.0]))


def _fit(
    prepared: PipelineModel, weighted: DataFrame, validation: DataFrame, size: ForestSize, config: TrainingConfig
) -> Fitted:
    """Fit one forest on the weighted train rows and measure its ROC AUC on the validation window."""
    forest = RandomForestClassifier(
        featuresCol=VECTOR,
        labelCol=LABEL,
        weightCol=WEIGHT,
        probabilityCol=PROBABILITY,
        rawPredictionCol="forest_raw",
        predictionCol="forest_prediction",
        numTrees=size.trees,
        maxDepth=size.depth,
        minInstancesPerNode=config.minimum_leaf_rows,
        seed=config.seed,
    )
    trees: RandomForestClassificationModel = name_stage(forest, "forest").fit(weighted)
    model = name_pipeline(PipelineModel(stages=[*prepared.stages, trees]))
    ranker, shares = ForestRanker(model), map(float, trees.featureImportances.toArray())
    importances = sort_by_size(dict(zip(FEATURES, shares, strict=True)))
    return Fitted(size.model_dump(), ranker, score_table(ranker.with_score(validation)).roc_auc() or 0.0, importances)
