"""The history of models, computed on Spark: executors summarize batches, and a poll continues from the summaries."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, select

from driftline.clock import Clock, naive_utc
from driftline.engine.calendar import chunk_at
from driftline.engine.chunking.chunks import Chunk
from driftline.engine.computation.fitted_methods import SummaryContent
from driftline.lineage import runs
from driftline.settings import DatabaseSettings
from driftline.store.database import in_transaction, translated
from driftline.store.model_numbers import model_number
from driftline.store.polling import pending_chunks
from driftline.store.rows.reading import chunk_parts
from driftline.store.rows.reading.chunk_parts import PartReader
from driftline.store.rows.reading.chunk_rows import ChunkReader
from driftline.store.rows.reading.part_tasks import (
    ComputedPart,
    PartTask,
    PartWorker,
    compute_branch,
    merge_parts,
    without_branch,
)
from driftline.store.tables import pending_chunks as pending_table
from driftline.store.versions import registry
from driftline.store.versions.registry import Version
from monitoring.incidents.update import update_incidents
from monitoring.poll import uncomputed_labels
from monitoring.poll.outcomes import PollOutcome
from monitoring.poll.poller import poll_once
from monitoring.poll.results.summary_store import SummaryStore
from monitoring.poll.touched_chunks import queue_touched_chunks
from monitoring.poll.uncomputed_labels import UncomputedLabels

BRANCH = 8
"""How many tasks are merged with one another before branches are."""
TASKS_AT_ONCE = 256
"""About how many tasks one Spark job has; then the summaries of its chunks are stored."""

Progress = Callable[[Sequence[Any], str], Iterator[Any]]


@dataclass(frozen=True, slots=True)
class PlannedChunk:
    """A chunk without a state: its tasks by content and part, and the labels that they are going to read."""

    chunk: Chunk
    tasks: Sequence[PartTask]
    uncomputed: Sequence[UncomputedLabels]


@dataclass(frozen=True)
class History:
    """Computes the pending chunks of a database; `context` is a SparkContext, `progress` shows the progress."""

    engine: Engine
    database: DatabaseSettings
    context: Any
    clock: Clock
    progress: Progress

    def run(self, name: str | None = None) -> PollOutcome:
        """Compute the summaries of all pending chunks on Spark, of one model or of all, and then poll.

        Pollers may run at the same time: a chunk that one of them has computed is left to it.

        Raises:
            NotFound: no model has that name. Unavailable: the database does not answer.
        """
        with translated(), self.engine.connect() as connection:
            number = None if name is None else model_number(connection, name)
        queue_touched_chunks(self.engine)
        with translated(), self.engine.connect() as connection:
            versions = pending_chunks.due_versions(connection, self.clock())
        for model, key in versions:
            if number in (None, key.model_number):
                self._compute_states(registry.load(self.engine, model, key.version))
        summary = poll_once(self.engine, self.clock(), scheduled=False)
        update_incidents(self.engine)
        runs.note(chunks=summary.chunks, chunks_failed=summary.failed, verdicts_changed=summary.verdicts)
        return summary

    def _compute_states(self, version: Version) -> None:
        worker = PartWorker(self.database, version.key, version.spec.model_dump_json(), version.fitted.to_json())
        broadcast = self.context.broadcast(worker)
        with translated(), self.engine.connect() as connection:
            starts = pending_chunks.changed(connection, version.key)
            planned = [chunk for start in starts if (chunk := _plan(connection, version, start))]
        for chunks in self.progress(list(_jobs(planned)), f"{version.name} version {version.number}"):
            parts = self._compute(broadcast, [task for chunk in chunks for task in chunk.tasks])
            for chunk in chunks:
                in_transaction(self.engine, partial(_store, version=version, planned=chunk, parts=parts))
        broadcast.destroy()

    def _compute(
        self, broadcast: Any, tasks: Sequence[PartTask]
    ) -> dict[tuple[Chunk, SummaryContent, int], ComputedPart]:
        """Compute tasks, one partition each, and merge them in two steps: those of a branch, and the branches."""
        names = sorted({_name(task) for task in tasks})
        numbered = [
            PartTask(names.index(_name(task)), task.branch, task.chunk, task.content, task.removals) for task in tasks
        ]
        branches = self.context.parallelize(numbered, len(numbered)).map(partial(compute_branch, broadcast))
        merged = branches.reduceByKey(merge_parts, -(-len(numbered) // BRANCH)).map(without_branch)
        return {names[number]: part for number, part in merged.reduceByKey(merge_parts, len(names)).collect()}


def _plan(connection: Connection, version: Version, start: datetime) -> PlannedChunk | None:
    """Plan the tasks of a pending chunk; None if it has no rows, or has summaries, which the poll updates.

    Pending labels are listed before anything is read: executors read these, and perhaps more.
    """
    key, chunk = version.key, chunk_at(version.spec, start)
    store = SummaryStore(connection, key, version.spec_revision, chunk)
    if chunk.start != start or any(
        store.parts(content) for content in (SummaryContent.FEATURES, SummaryContent.LABELS)
    ):
        return None
    uncomputed = uncomputed_labels.pending_of(connection, key, chunk)
    rows = ChunkReader(connection, key, version.spec, chunk)
    removals = rows.removals()
    if not removals:
        return None
    tasks: list[PartTask] = []
    for content in (SummaryContent.FEATURES, SummaryContent.LABELS):
        part, filled, reader = 0, 0, PartReader(rows, version.fitted, content)
        for place, (numbers, portions) in enumerate(rows.groups(removals, reader.rows_at_once)):
            added = sum(blob.rows for portion in portions for blob in portion)
            if content is SummaryContent.LABELS and filled and filled + added > chunk_parts.LARGEST_LABEL_PART:
                part, filled = part + 1, 0
            filled += added
            of_batches = {number: removals[number] for number in numbers}
            tasks.append(PartTask(part, place // BRANCH, chunk, content, of_batches))
    return PlannedChunk(chunk, tasks, uncomputed)


def _jobs(planned: Sequence[PlannedChunk]) -> Iterator[list[PlannedChunk]]:
    """Yield consecutive chunks with about `TASKS_AT_ONCE` tasks."""
    chunks, tasks = list[PlannedChunk](), 0
    for chunk in planned:
        chunks.append(chunk)
        tasks += len(chunk.tasks)
        if tasks >= TASKS_AT_ONCE:
            yield chunks
            chunks, tasks = [], 0
    if chunks:
        yield chunks


def _name(task: PartTask) -> tuple[Chunk, SummaryContent, int]:
    return task.chunk, task.content, task.part


def _store(
    connection: Connection,
    *,
    version: Version,
    planned: PlannedChunk,
    parts: dict[tuple[Chunk, SummaryContent, int], ComputedPart],
) -> None:
    """Store the summaries of a chunk that is still pending and has none, under its lock.

    It is not a fault if rows were removed or labelled meanwhile: the poll compares each part with the batches.
    """
    key = version.key
    waits = select(pending_table.c.chunk_start).where(
        key.rows_of(pending_table), pending_table.c.chunk_start == naive_utc(planned.chunk.start)
    )
    store = SummaryStore(connection, key, version.spec_revision, planned.chunk)
    if connection.execute(waits.with_for_update()).first() is None:
        return
    for content in (SummaryContent.FEATURES, SummaryContent.LABELS):
        if store.parts(content):
            return
        store.keep(content, ())
        for chunk, of_content, number in parts:
            if (chunk, of_content) == (planned.chunk, content):
                store.add(content, number, *parts[chunk, content, number])
    uncomputed_labels.settle(connection, key, planned.uncomputed)
