"""Fixed names for the stages of a pipeline.

Spark names each stage by its class and 12 random hexadecimal digits, and a stored model's folders and metadata by its
stages. With fixed names the same training writes the same files, and no log holds digits that look like a secret.
"""

from typing import TypeVar

from pyspark.ml import PipelineModel
from pyspark.ml.wrapper import JavaParams

PIPELINE = "churn"

Stage = TypeVar("Stage", bound=JavaParams)


def name_stage(stage: Stage, name: str) -> Stage:
    """Name a stage, which keeps its parameters, and return it; a model fitted by it has the same name.

    The object in the JVM takes its name only when it is created, so a new one replaces it; its parameters are
    transferred whenever the stage is fitted, applied or saved.
    """
    java_class = stage._java_obj.getClass().getName()  # type: ignore[union-attr]  # every stage here has one
    stage._java_obj = JavaParams._new_java_obj(java_class, name)
    return stage._resetUid(name)


def name_pipeline(model: PipelineModel) -> PipelineModel:
    """Name a fitted pipeline, and return it."""
    return model._resetUid(PIPELINE)
