"""What a job works with: made once by the composition root, passed to the job."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from churn_jobs.jdbc import Jdbc


@dataclass(frozen=True)
class Job:
    """The database, the folder of objects (absolute), the present instant, and Spark when it is needed.

    `open_spark` starts Spark and stops it afterwards: what can be found wrong without it is found in a second.
    """

    engine: Engine
    objects: Path
    now: datetime
    open_spark: Callable[[], AbstractContextManager[Jdbc]]
