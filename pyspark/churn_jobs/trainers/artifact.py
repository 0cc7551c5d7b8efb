"""A trained churn model as files: a Spark pipeline or trees, and `model.json` with all the rest.

Both are formats of `driftline.artifacts`, which scores either of them without Spark.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from churn.columns import CHURN_MODEL
from churn_jobs.trainers.boosting import TreesRanker
from churn_jobs.trainers.calibration import CLIP, LogisticCalibration
from churn_jobs.trainers.forest import ForestRanker
from churn_jobs.trainers.trainer import RAW_SCORE, Ranker
from driftline.artifacts.loading import load_scorer
from driftline.artifacts.output_rule import OutputRule, ScoreCalibration
from driftline.artifacts.saving import save_scorer
from driftline.artifacts.scorer import Scorer
from driftline.engine.catalogue import Problem
from driftline.engine.results import PREDICTION, SCORE
from driftline.errors import NotFound
from driftline.objects import ObjectStore

PIPELINE, FACTS = "pipeline", "model.json"
COMPLEMENT = "probability_0"


@dataclass(frozen=True)
class ChurnModel:
    """A model that can score: what ranks, the calibration of its score, and the decision threshold.

    `details` are plain values: metrics by window, importances, configuration, windows and data hash.
    """

    ranker: Ranker
    calibration: LogisticCalibration
    threshold: float
    details: Mapping[str, Any]

    def score(self, rows: DataFrame) -> DataFrame:
        """Add probability_0, probability_1 (calibrated) and prediction (0 or 1) to rows that have the features."""
        clipped = F.least(F.greatest(F.col(RAW_SCORE), F.lit(CLIP)), F.lit(1 - CLIP))
        logit = F.log(clipped / (1 - clipped))
        probability = 1 / (1 + F.exp(-(F.lit(self.calibration.intercept) + F.lit(self.calibration.slope) * logit)))
        scored = self.ranker.with_score(rows).withColumn(SCORE, probability)
        return scored.drop(RAW_SCORE).withColumns(
            {
                COMPLEMENT: 1 - F.col(SCORE),
                PREDICTION: (F.col(SCORE) >= F.lit(self.threshold)).cast("short"),
            }
        )


def place(objects: ObjectStore, training_hash: str) -> ObjectStore:
    """Return the store of a model: named by its training hash, so its content never changes."""
    return objects.under(f"models/{CHURN_MODEL}/{training_hash}")


def save(model: ChurnModel, target: ObjectStore, scratch: Path) -> None:
    """Save a model, `model.json` last: a model without it is incomplete. An existing model is not replaced."""
    if exists(target):
        return
    if isinstance(model.ranker, TreesRanker):
        calibration = ScoreCalibration(**asdict(model.calibration))
        output_rule = OutputRule(Problem.BINARY, threshold=model.threshold, calibration=calibration)
        save_scorer(Scorer(model.ranker.inputs, model.ranker.trees, output_rule, model.details), target.address)
    elif isinstance(model.ranker, ForestRanker):
        _save_pipeline(model.ranker.pipeline, model, target, scratch)
    else:
        raise TypeError(type(model.ranker))


def _save_pipeline(pipeline: PipelineModel, model: ChurnModel, target: ObjectStore, scratch: Path) -> None:
    """Save a pipeline; Spark writes it into the run's own folder first, since it writes files and not objects."""
    written = scratch / uuid4().hex / PIPELINE
    pipeline.write().save(written.as_uri())
    target.delete_all()
    for file in sorted(path for path in written.rglob("*") if path.is_file() and not path.name.startswith(".")):
        target.put_file(f"{PIPELINE}/{file.relative_to(written).as_posix()}", file)
    shutil.rmtree(written.parent)
    facts = {"threshold": model.threshold, "calibration": asdict(model.calibration), "details": model.details}
    target.put(FACTS, (json.dumps(facts, indent=2, allow_nan=False) + "\n").encode())


def exists(target: ObjectStore) -> bool:
    """Return whether the store holds a complete model."""
    return target.exists(FACTS)


def load(target: ObjectStore, scratch: Path) -> ChurnModel:
    """Load a model; Spark must be running. Files in a cloud's store are copied into the run's own folder.

    Raises:
        NotFound: its files do not exist. Unavailable: the store refuses the request or cannot be reached.
    """
    if not exists(target):
        raise NotFound(f"The model's files are not in {target.address}; restore them, or train again on other days.")
    facts = json.loads(target.get(FACTS))
    ranker: Ranker
    if "format" in facts:
        scorer = load_scorer(target.address)
        ranker = TreesRanker(scorer.inputs, scorer.trees)
    else:
        ranker = ForestRanker(PipelineModel.load((_local(target, scratch) / PIPELINE).as_uri()))
    return ChurnModel(ranker, LogisticCalibration(**facts["calibration"]), facts["threshold"], facts["details"])


def _local(target: ObjectStore, scratch: Path) -> Path:
    """Return the model's folder; a copy stays until the run ends, since Spark reads some of it when it scores."""
    if target.folder:
        return target.folder
    copy = scratch / uuid4().hex
    for key in target.list_keys():
        target.fetch(key, copy / key)
    return copy
