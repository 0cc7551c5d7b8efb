"""A trained churn model as files: the Spark pipeline, and `model.json` with all the rest."""

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

from churn_jobs.calibration import CLIP, Calibration
from churn_jobs.forest import with_score
from driftline.columns import CHURN_MODEL
from driftline.engine.results import PREDICTION, SCORE
from driftline.errors import NotFound

PIPELINE, FACTS = "pipeline", "model.json"
COMPLEMENT = "probability_0"


@dataclass(frozen=True)
class ChurnModel:
    """A model that can score: the fitted pipeline, the calibration of its score, and the decision threshold.

    `details` are plain values: metrics by window, importances, configuration, windows and data hash.
    """

    pipeline: PipelineModel
    calibration: Calibration
    threshold: float
    details: Mapping[str, Any]

    def score(self, rows: DataFrame) -> DataFrame:
        """Add probability_0, probability_1 (calibrated) and prediction (0 or 1) to rows that have the features."""
        held = F.least(F.greatest(F.col("forest_score"), F.lit(CLIP)), F.lit(1 - CLIP))
        logit = F.log(held / (1 - held))
        probability = 1 / (1 + F.exp(-(F.lit(self.calibration.intercept) + F.lit(self.calibration.slope) * logit)))
        scored = with_score(rows, self.pipeline).withColumn(SCORE, probability)
        return scored.drop("forest_score").withColumns(
            {
                COMPLEMENT: 1 - F.col(SCORE),
                PREDICTION: (F.col(SCORE) >= F.lit(self.threshold)).cast("short"),
            }
        )


def folder(objects: Path, training_hash: str) -> Path:
    """Give where a model is kept: named by what it was trained with, so it never changes."""
    return objects / "models" / CHURN_MODEL / training_hash


def save(model: ChurnModel, target: Path) -> None:
    """Save a model whole: written beside, then renamed. One that is there already stays."""
    unfinished = target.with_name(f".unfinished-{uuid4()}")
    model.pipeline.write().save((unfinished / PIPELINE).as_uri())
    facts = {"threshold": model.threshold, "calibration": asdict(model.calibration), "details": model.details}
    (unfinished / FACTS).write_text(json.dumps(facts, indent=2, allow_nan=False) + "\n")
    if (target / FACTS).exists():
        shutil.rmtree(unfinished)
    else:
        unfinished.rename(target)


def clear_unfinished(objects: Path) -> None:
    """Remove what killed runs left."""
    for left in folder(objects, "").glob(".unfinished-*"):
        shutil.rmtree(left)


def exists(target: Path) -> bool:
    """Say whether a whole model is there."""
    return (target / FACTS).exists()


def load(target: Path) -> ChurnModel:
    """Load a model; Spark is running.

    Raises:
        NotFound: its files are gone.
    """
    if not exists(target):
        raise NotFound(f"The model's files are not in {target}; bring them back, or train again on other days.")
    facts = json.loads((target / FACTS).read_text())
    pipeline = PipelineModel.load((target / PIPELINE).as_uri())
    return ChurnModel(pipeline, Calibration(**facts["calibration"]), facts["threshold"], facts["details"])
