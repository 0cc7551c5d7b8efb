"""The resources of a job, created by the composition root and passed to the job."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from churn_jobs.spark.jdbc import Jdbc
from driftline.objects import ObjectStore

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True)
class Job:
    """The database, the object store, a folder for unfinished files, the current instant, and Spark on demand.

    `scratch` (absolute) belongs to this run; Spark's workers write there too, so on a cluster all machines share it.
    `open_spark` starts Spark and stops it afterwards, so that faults which need no Spark are reported within a second.
    `open_tracking` connects to MLflow; without it, trainings are not recorded.
    """

    engine: Engine
    objects: ObjectStore
    scratch: Path
    now: datetime
    open_spark: Callable[[], AbstractContextManager[Jdbc]]
    open_tracking: Callable[[], "MlflowClient"] | None = None
