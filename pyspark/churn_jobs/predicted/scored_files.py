"""Scored rows in the run's folder: Spark writes one file for each batch, and the job reads them back one by one."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from pyspark.sql import DataFrame

from churn.columns import Processed
from churn_jobs.batches import DayPart
from churn_jobs.hashing import part_number
from churn_jobs.scratch import only_file
from driftline.errors import Conflict

PART = "part"


class RowsMissing(Conflict):
    """Fewer or more rows were written than computed; nothing was stored. Run the job again."""


@dataclass(frozen=True)
class ScoredFiles:
    """The files of a run, by day and part."""

    folder: Path

    @classmethod
    def write(cls, scratch: Path, rows: DataFrame, parts: int) -> "ScoredFiles":
        """Write rows, which have Date and User, into the run's folder; days are cut into `parts` by subscriber."""
        folder = scratch / "scored"
        numbered = rows.withColumn(PART, part_number(parts)).repartition(Processed.DATE, PART)
        files = numbered.write.option("maxRecordsPerFile", 0).partitionBy(Processed.DATE, PART)
        files.mode("overwrite").parquet(folder.as_uri())
        return cls(folder)

    def read(self, batch: DayPart) -> pd.DataFrame:
        """Return the rows of a part of a day, with their date.

        Raises:
            NotFound: the file is on another machine. RowsMissing: it has another number of rows than were computed.
        """
        day = batch.part.day
        file = only_file(self.folder / f"{Processed.DATE}={day}" / f"{PART}={batch.part.number}", batch.part)
        frame = pd.read_parquet(file, partitioning=None)
        if len(frame) != batch.rows:
            raise RowsMissing(f"{len(frame)} rows of {batch.part} were written, not {batch.rows}; run the job again.")
        return frame.assign(**{Processed.DATE: day})
