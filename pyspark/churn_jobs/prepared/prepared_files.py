"""Prepared rows as Parquet, one object a day: `prepared/Date=2026-01-31/rows.parquet`.

Spark writes files into the run's own folder. Each day's finished file is then put into the store in one atomic step, in
a folder as in a cloud; Spark's own committers rename many files, which is not atomic. The object `_content_hash` beside
it identifies the file's content; it is removed before the file is replaced and written afterwards, so it is never wrong
after a killed run.
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
        """Replace the files of `days` whose content differs from `computed`; return the number of days written.

        Raises:
            NotFound: Spark's files are on another machine.
            Unavailable: the store refuses the request or cannot be reached.
        """
        present = set(self.store.list_keys())
        hashes = {day: _day_hash(part for part in computed if part.part.day == day) for day in _days(computed)}
        for day in set(days) - hashes.keys():
            self._remove(day, present)
        changed = {day for day, content in hashes.items() if self._content_hash(day, present) != content}
        if changed:
            written = self._write(rows, changed)
            for day in sorted(changed):
                self._store_day(written, day, hashes[day])
            shutil.rmtree(written)
        return len(changed)

    def _remove(self, day: date, present: Collection[str]) -> None:
        if any(_name(day, file) in present for file in (ROWS, CONTENT_HASH)):
            self.store.under(f"{Processed.DATE}={day}").delete_all()

    def _content_hash(self, day: date, present: Collection[str]) -> str | None:
        key = _name(day, CONTENT_HASH)
        return self.store.get(key).decode() if {key, _name(day, ROWS)} <= set(present) else None

    def _write(self, rows: DataFrame, days: Collection[date]) -> Path:
        """Write each day as one file, by one Spark task."""
        folder = self.scratch / "prepared"
        selected = rows.where(F.col(Processed.DATE).isin(sorted(days)))
        ordered = selected.repartition(Processed.DATE).sortWithinPartitions(Processed.DATE, Processed.USER)
        ordered.write.option("maxRecordsPerFile", 0).partitionBy(Processed.DATE).parquet(folder.as_uri())
        return folder

    def _store_day(self, written: Path, day: date, content: str) -> None:
        """Put the file that Spark wrote for a day into the store, then its content hash."""
        file = only_file(written / f"{Processed.DATE}={day}", day)
        self.store.delete(_name(day, CONTENT_HASH))
        self.store.put_file(_name(day, ROWS), file)
        self.store.put(_name(day, CONTENT_HASH), content.encode())


def _name(day: date, file: str) -> str:
    return f"{Processed.DATE}={day}/{file}"


def _days(computed: Sequence[DayPart]) -> set[date]:
    return {part.part.day for part in computed}


def _day_hash(parts: Iterable[DayPart]) -> str:
    return hashlib.sha256(" ".join(part.content_hash for part in parts).encode()).hexdigest()
