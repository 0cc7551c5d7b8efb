"""The plan that turns stored records into scores, made once for a model and executed for each micro-batch.

To analyse, optimize and compile the features and the pipeline takes Spark longer than to compute them for some thousand
records. So the plan has a source that does not change, a file, whose content is another one each time.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import BooleanType, DateType, LongType, ShortType, StringType, StructField, StructType

from churn.columns import FEATURES, USAGE_OF_CDR, Cdr, Processed
from churn_jobs.live.subscriber_days import WANTED
from churn_jobs.predicted import predicting
from churn_jobs.prepared import features
from churn_jobs.trainers.artifact import ChurnModel
from driftline.engine.results import ID

ROWS_OF_BATCH = 10_000
RECORDS = StructType(
    [
        StructField(Cdr.DATE, DateType()),
        StructField(Cdr.MSISDN, StringType()),
        *(StructField(source, LongType()) for source in USAGE_OF_CDR.values()),
        StructField(Cdr.PSEUDO_CHURNED, ShortType()),
        StructField(WANTED, BooleanType()),
    ]
)


@dataclass(frozen=True)
class ScoringPlan:
    """Scores the records in a file; on a cluster, all machines share its folder."""

    file: Path
    scored: DataFrame

    @classmethod
    def of(cls, spark: SparkSession, model: ChurnModel, folder: Path) -> "ScoringPlan":
        """Make the plan of a model: one task, since what a shuffle has written would be read again by the next run."""
        file = folder / f"{uuid4().hex}.arrow"
        records = spark.range(0, 1, 1, 1).mapInArrow(_reader(str(file)), RECORDS)
        days = features.daily(features.clean(records), [WANTED])
        rows = features.with_trailing(days).where(F.col(WANTED)).select(Processed.DATE, Processed.USER, *FEATURES)
        scored = model.score(predicting.with_id(rows)).select(*predicting.OUTPUT, ID)
        plan = scored._jdf.queryExecution().executedPlan().toString()
        if "Exchange" in plan:
            raise RuntimeError(f"The plan shuffles rows, so its second run would score those of the first:\n{plan}")
        return cls(file, scored)

    def score(self, records: pa.Table) -> pd.DataFrame:
        """Return the scored subscriber-days that are marked in `WANTED`."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with pa.ipc.new_stream(self.file, records.schema) as stream:
            stream.write_table(records, ROWS_OF_BATCH)
        return self.scored.toPandas()


def _reader(path: str) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return a function that replaces its rows by those of a file; as a closure it needs no module in the workers.

    Two details save a worker most of its time. It reads its own rows too: Spark ends a worker that has left some, and
    starts another one. And it forgets its importers of zip files, since Spark invalidates what importers have cached
    before each task: they would read the directories of its archives again, one with thousands of classes.
    """

    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Read the rows that are given, and yield those of the file."""
        import sys  # noqa: PLC0415
        from zipimport import zipimporter  # noqa: PLC0415

        import pyarrow  # noqa: PLC0415

        for _ in batches:
            pass
        for place, importer in [*sys.path_importer_cache.items()]:
            if isinstance(importer, zipimporter):
                del sys.path_importer_cache[place]
        with pyarrow.memory_map(path) as file:
            yield from pyarrow.ipc.open_stream(file)

    return read
