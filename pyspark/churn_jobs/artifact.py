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

from churn.columns import CHURN_MODEL
from churn_jobs.calibration import CLIP, LogisticCalibration
from churn_jobs.forest import with_score
from driftline.engine.results import PREDICTION, SCORE
from driftline.errors import NotFound
from driftline.objects import ObjectStore

PIPELINE, FACTS = "pipeline", "model.json"
COMPLEMENT = "probability_0"


@dataclass(frozen=True)
class ChurnModel:
    """A model that can score: the fitted pipeline, the calibration of its score, and the decision threshold.

    `details` are plain values: metrics by window, importances, configuration, windows and data hash.
    """

    pipeline: PipelineModel
    calibration: LogisticCalibration
    threshold: float
    details: Mapping[str, Any]

    def score(self, rows: DataFrame) -> DataFrame:
        """Add probability_0, probability_1 (calibrated) and prediction (0 or 1) to rows that have the features."""
        clipped = F.least(F.greatest(F.col("forest_score"), F.lit(CLIP)), F.lit(1 - CLIP))
        logit = F.log(clipped / (1 - clipped))
        probability = 1 / (1 + F.exp(-(F.lit(self.calibration.intercept) + F.lit(self.calibration.slope) * logit)))
        scored = with_score(rows, self.pipeline).withColumn(SCORE, probability)
        return scored.drop("forest_score").withColumns(
            {
                COMPLEMENT: 1 - F.col(SCORE),
                PREDICTION: (F.col(SCORE) >= F.lit(self.threshold)).cast("short"),
            }
        )


def place(objects: ObjectStore, training_hash: str) -> ObjectStore:
    """Return the store of a model: named by its training hash, so its content never changes."""
    return objects.under(f"models/{CHURN_MODEL}/{training_hash}")


def save(model: ChurnModel, target: ObjectStore, scratch: Path) -> None:
    """Save a model, `model.json` last: a model without it is incomplete. An existing model is not replaced.

    Spark writes the pipeline into the run's own folder first, because it writes files and not objects of a store.
    """
    if exists(target):
        return
    written = scratch / uuid4().hex / PIPELINE
    model.pipeline.write().save(written.as_uri())
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
    pipeline = PipelineModel.load((_local(target, scratch) / PIPELINE).as_uri())
    return ChurnModel(pipeline, LogisticCalibration(**facts["calibration"]), facts["threshold"], facts["details"])


def _local(target: ObjectStore, scratch: Path) -> Path:
    """Return the model's folder; a copy stays until the run ends, since Spark reads some of it when it scores."""
    if target.folder:
        return target.folder
    copy = scratch / uuid4().hex
    for key in target.list_keys():
        target.fetch(key, copy / key)
    return copy
