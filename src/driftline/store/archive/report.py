"""An archive run in words, for the command line and the log. No I/O here."""

import json
from collections.abc import Iterator, Sequence

from driftline.engine.chunking.chunks import Chunk
from driftline.store.archive.plan import ArchivePlan
from driftline.store.archive.run import ArchiveSummary
from driftline.store.rows.archived.archive_objects import ArchiveObject
from driftline.store.version_key import VersionKey


def plan_lines(plans: Sequence[ArchivePlan]) -> Iterator[str]:
    """Yield what would be done, a line for each object."""
    lines = []
    for plan in plans:
        name = plan.model.name
        lines += [f"{_span(name, key, period)}: archive" for key, period in plan.periods]
        lines += [
            f"{_span(name, removed.key, Chunk(removed.start, removed.end))}: remove {removed.rows:,} archived rows"
            for removed in plan.objects_to_remove
        ]
    yield from lines or ["Nothing is due."]


def object_lines(stored: Sequence[tuple[str, ArchiveObject]]) -> Iterator[str]:
    """Yield JSON for each object, with its model, version, period, number of rows and address."""
    for name, archive_object in stored:
        period = {"start": archive_object.start.isoformat(), "end": archive_object.end.isoformat()}
        yield json.dumps(
            {
                "model": name,
                "version": archive_object.key.version,
                **period,
                "rows": archive_object.rows,
                "address": archive_object.address,
            }
        )


def summary_lines(summary: ArchiveSummary) -> Iterator[str]:
    """Yield what was done: a line for each object that was written, then the totals and what failed."""
    for written in summary.written:
        span = _span(written.name, written.key, written.period)
        yield f"{span}: {written.rows:,} rows, {written.size:,} bytes in {written.address}"
    yield (
        f"{len(summary.written):,} objects were written, {summary.blobs:,} blobs deleted from MySQL, "
        f"{summary.removed:,} objects removed."
    )
    yield from (f"Not archived: {failure}" for failure in summary.failures)


def _span(name: str, key: VersionKey, period: Chunk) -> str:
    return f"{name} version {key.version}, {period.start:%Y-%m-%d %H:%M} to {period.end:%Y-%m-%d %H:%M} UTC"
