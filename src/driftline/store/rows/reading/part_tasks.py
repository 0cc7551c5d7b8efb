"""Tasks that compute parts of chunks in other processes, such as Spark's executors, and merge them there.

An executor needs this package, the database and the archive's objects, and nothing else of a program.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine

from driftline.engine.chunking.chunks import Chunk
from driftline.engine.computation.fitted_methods import Summary, SummaryContent
from driftline.engine.evaluation.reference import FittedReference
from driftline.engine.spec import Spec
from driftline.settings import DatabaseSettings
from driftline.store.database import make_engine, translated
from driftline.store.rows.reading.chunk_parts import PartProvenance, PartReader
from driftline.store.rows.reading.chunk_rows import ChunkReader
from driftline.store.version_key import VersionKey

ComputedPart = tuple[PartProvenance, Summary]


@dataclass(frozen=True, slots=True)
class PartTask:
    """Some batches of a chunk, with how many of their rows are removed; `part` numbers what they are merged into.

    Tasks of one `branch` of a part are merged with one another first.
    """

    part: int
    branch: int
    chunk: Chunk
    content: SummaryContent
    removals: Mapping[int, int]


@dataclass(frozen=True)
class PartWorker:
    """Computes the tasks of one model version; `spec` and `fitted` are JSON."""

    database: DatabaseSettings
    key: VersionKey
    spec: str
    fitted: str

    def compute(self, task: PartTask) -> ComputedPart:
        """Read and summarize the rows of a task, wherever they are stored."""
        spec, fitted = _loaded(self.spec, self.fitted)
        computed: ComputedPart | None = None
        with translated(), _engine(self.database).connect() as connection:
            rows = ChunkReader(connection, self.key, spec, task.chunk)
            reader = PartReader(rows, fitted, task.content)
            for numbers, portions in rows.groups(task.removals, reader.rows_at_once):
                part = reader.compute_part({number: task.removals[number] for number in numbers}, portions)
                computed = part if computed is None else merge_parts(computed, part)
        assert computed is not None  # noqa: S101  (a task has batches)
        return computed


def compute_branch(worker: Any, task: PartTask) -> tuple[tuple[int, int], ComputedPart]:
    """Compute a task with the broadcast `worker`; return its part and branch with what was computed."""
    return (task.part, task.branch), worker.value.compute(task)


def without_branch(computed: tuple[tuple[int, int], ComputedPart]) -> tuple[int, ComputedPart]:
    """Return a branch by its part alone."""
    (part, _), content = computed
    return part, content


def merge_parts(first: ComputedPart, second: ComputedPart) -> ComputedPart:
    """Merge two parts with their provenance."""
    return first[0].merge(second[0]), first[1].merge(second[1])


@lru_cache(maxsize=1)
def _loaded(spec: str, fitted: str) -> tuple[Spec, FittedReference]:
    return Spec.model_validate_json(spec), FittedReference.from_json(fitted)


@lru_cache(maxsize=1)
def _engine(database: DatabaseSettings) -> Engine:
    """Make the engine of this process once."""
    return make_engine(database, pool_size=1)
