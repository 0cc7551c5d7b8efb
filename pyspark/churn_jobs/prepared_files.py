"""Prepared rows as Parquet, one file a day: `prepared/Date=2026-01-31/rows.parquet`.

Spark writes into a hidden folder beside them; then each day's finished file takes its place by one rename, which
readers see whole or not at all. `_content_hash` beside it says what the file holds; it is removed before and written
after the rename, so a killed run leaves no wrong one.
"""

import hashlib
import shutil
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from churn_jobs.batches import DayPart
from churn_jobs.days import DayRange
from driftline.columns import Processed
from driftline.errors import NotFound

UNFINISHED = ".unfinished-"
ROWS, CONTENT_HASH = "rows.parquet", "_content_hash"


@dataclass(frozen=True)
class PreparedFiles:
    """The folder of prepared days."""

    root: Path

    def clear_unfinished(self) -> None:
        """Remove what dead attempts left."""
        for folder in self.root.glob(f"{UNFINISHED}*"):
            shutil.rmtree(folder)

    def replace(self, rows: DataFrame, days: DayRange, computed: Sequence[DayPart], attempt: str) -> int:
        """Bring the files of `days` to the computed content; give the number of days that were written.

        Raises:
            NotFound: what Spark wrote is not here, but on another machine.
        """
        hashes = {day: _day_hash(one for one in computed if one.part.day == day) for day in _days(computed)}
        for day in set(days) - hashes.keys():
            shutil.rmtree(self._folder(day), ignore_errors=True)
        changed = {day for day, content in hashes.items() if self._content_hash(day) != content}
        if changed:
            written = self._write(rows, changed, attempt)
            for day in sorted(changed):
                self._take(written, day, hashes[day])
            shutil.rmtree(written)
        return len(changed)

    def _folder(self, day: date, root: Path | None = None) -> Path:
        return (root or self.root) / f"{Processed.DATE}={day}"

    def _content_hash(self, day: date) -> str | None:
        folder = self._folder(day)
        said = folder / CONTENT_HASH
        return said.read_text() if said.exists() and (folder / ROWS).exists() else None

    def _write(self, rows: DataFrame, days: Collection[date], attempt: str) -> Path:
        """Write the days, each by one task and so as one file."""
        folder = self.root / f"{UNFINISHED}{attempt}"
        chosen = rows.where(F.col(Processed.DATE).isin(sorted(days)))
        ordered = chosen.repartition(Processed.DATE).sortWithinPartitions(Processed.DATE, Processed.USER)
        ordered.write.option("maxRecordsPerFile", 0).partitionBy(Processed.DATE).parquet(folder.as_uri())
        return folder

    def _take(self, written: Path, day: date, content: str) -> None:
        files = [*self._folder(day, written).glob("*.parquet")]
        if len(files) != 1:
            raise NotFound(
                f"Spark wrote {len(files)} files of {day} that can be seen in {written}, not 1: on a cluster,"
                " DRIFTLINE_VAR must be a folder that all its machines share under the same path."
            )
        (file,) = files
        folder = self._folder(day)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CONTENT_HASH).unlink(missing_ok=True)
        file.replace(folder / ROWS)
        (folder / CONTENT_HASH).write_text(content)


def _days(computed: Sequence[DayPart]) -> set[date]:
    return {one.part.day for one in computed}


def _day_hash(parts: Iterable[DayPart]) -> str:
    return hashlib.sha256(" ".join(one.content_hash for one in parts).encode()).hexdigest()
