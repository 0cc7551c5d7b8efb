"""What a job works with: made once by the composition root, passed to the job."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from churn_jobs.jdbc import Jdbc
from driftline.objects import ObjectStore


@dataclass(frozen=True)
class Job:
    """The database, the store of objects, a folder for what is unfinished, the present instant, and Spark on demand.

    `scratch` (absolute) is this run's alone; Spark's workers write there too, so on a cluster all machines share it.
    `open_spark` starts Spark and stops it afterwards: what can be found wrong without it is found in a second.
    """

    engine: Engine
    objects: ObjectStore
    scratch: Path
    now: datetime
    open_spark: Callable[[], AbstractContextManager[Jdbc]]
