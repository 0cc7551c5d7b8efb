"""Prepared rows as Parquet, one object a day: `prepared/Date=2026-01-31/rows.parquet`.

Spark writes files into the run's own folder; then each day's finished file is put in its place, which readers see
whole or not at all, in a folder as in a cloud: a rename of many files, as Spark's own committers do it, is neither
there. `_content_hash` beside it says what the file holds; it is removed before and written after, so a killed run
leaves no wrong one.
"""

import hashlib
import shutil
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from churn.columns import Processed
from churn_jobs.batches import DayPart
from churn_jobs.days import DayRange
from churn_jobs.scratch import only_file
from driftline.objects import ObjectStore

ROWS, CONTENT_HASH = "rows.parquet", "_content_hash"


@dataclass(frozen=True)
class PreparedFiles:
    """The prepared days in the store, and the folder that Spark writes to."""

    store: ObjectStore
    scratch: Path

    def replace(self, rows: DataFrame, days: DayRange, computed: Sequence[DayPart]) -> int:
        """Bring the files of `days` to the computed content; give the number of days that were written.

        Raises:
            NotFound: what Spark wrote is not here, but on another machine. Unavailable: the store refuses or is away.
        """
        present = set(self.store.list_keys())
        hashes = {day: _day_hash(one for one in computed if one.part.day == day) for day in _days(computed)}
        for day in set(days) - hashes.keys():
            self._remove(day, present)
        changed = {day for day, content in hashes.items() if self._content_hash(day, present) != content}
        if changed:
            written = self._write(rows, changed)
            for day in sorted(changed):
                self._take(written, day, hashes[day])
            shutil.rmtree(written)
        return len(changed)

    def _remove(self, day: date, present: Collection[str]) -> None:
        if any(_name(day, file) in present for file in (ROWS, CONTENT_HASH)):
            self.store.under(f"{Processed.DATE}={day}").delete_all()

    def _content_hash(self, day: date, present: Collection[str]) -> str | None:
        said = _name(day, CONTENT_HASH)
        return self.store.get(said).decode() if {said, _name(day, ROWS)} <= set(present) else None

    def _write(self, rows: DataFrame, days: Collection[date]) -> Path:
        """Write the days, each by one task and so as one file."""
        folder = self.scratch / "prepared"
        chosen = rows.where(F.col(Processed.DATE).isin(sorted(days)))
        ordered = chosen.repartition(Processed.DATE).sortWithinPartitions(Processed.DATE, Processed.USER)
        ordered.write.option("maxRecordsPerFile", 0).partitionBy(Processed.DATE).parquet(folder.as_uri())
        return folder

    def _take(self, written: Path, day: date, content: str) -> None:
        file = only_file(written / f"{Processed.DATE}={day}", day)
        self.store.delete(_name(day, CONTENT_HASH))
        self.store.put_file(_name(day, ROWS), file)
        self.store.put(_name(day, CONTENT_HASH), content.encode())


def _name(day: date, file: str) -> str:
    return f"{Processed.DATE}={day}/{file}"


def _days(computed: Sequence[DayPart]) -> set[date]:
    return {one.part.day for one in computed}


def _day_hash(parts: Iterable[DayPart]) -> str:
    return hashlib.sha256(" ".join(one.content_hash for one in parts).encode()).hexdigest()
