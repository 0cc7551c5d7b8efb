"""Reads what is exported of a model: its versions, the senders of its rows, and what its results cover."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, case, func, select

from driftline.clock import aware_utc
from driftline.store.model_numbers import model_number
from driftline.store.tables import chunk_revisions, ingest_log, ledger
from driftline.store.version_key import VersionKey
from driftline.store.versions import model_list
from driftline.store.versions.model_list import VersionSummary
from driftline.store.versions.owners import owner_of


@dataclass(frozen=True, slots=True)
class RowSource:
    """A sender of batches of one kind: their number, their rows, and when the first and the last were stored.

    `name` is that of the ingest log's caller; without one, or once the log has forgotten the batch, it is the beginning
    of the batch's id. `format` is None then.
    """

    kind: str
    name: str
    format: str | None
    batches: int
    rows: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class ResultCoverage:
    """What the results of a version cover: its chunks from the first to the last, and the code that computed them."""

    chunks: int
    revised: int
    first: datetime
    last: datetime
    computed_at: datetime
    code_versions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CatalogedModel:
    """What is exported of a model; `coverages` lacks the versions without results."""

    name: str
    owner: str | None
    versions: tuple[VersionSummary, ...]
    sources: tuple[RowSource, ...]
    coverages: dict[int, ResultCoverage]


def read_model(connection: Connection, name: str) -> CatalogedModel:
    """Read a model.

    Raises:
        NotFound: no such model.
    """
    number = model_number(connection, name)
    versions = tuple(model_list.versions_of(connection, name))
    coverages = {version.version: _coverage(connection, VersionKey(number, version.version)) for version in versions}
    computed = {version: coverage for version, coverage in coverages.items() if coverage is not None}
    return CatalogedModel(name, owner_of(connection, number), versions, _sources(connection, number), computed)


def _sources(connection: Connection, number: int) -> tuple[RowSource, ...]:
    """Return the senders of a model's batches, in the order of kind and name."""
    same_batch = and_(ingest_log.c.batch_id == ledger.c.batch_id, ingest_log.c.received_at == ledger.c.written_at)
    sender = func.coalesce(ingest_log.c.caller, func.substring_index(ledger.c.batch_id, "/", 1)).label("sender")
    columns = (ledger.c.kind, sender, ingest_log.c.format, ledger.c.rows_written, ledger.c.written_at)
    logged = select(*columns).select_from(ledger.outerjoin(ingest_log, same_batch))
    batches = logged.where(ledger.c.model_number == number).subquery()
    identity, written = (batches.c.kind, batches.c.sender, batches.c.format), batches.c.written_at
    counts = (func.count(), func.sum(batches.c.rows_written), func.min(written), func.max(written))
    grouped = select(*identity, *counts).group_by(*identity).order_by(*identity)
    return tuple(
        RowSource(kind, name, media_type, int(count), int(rows), aware_utc(first), aware_utc(last))
        for kind, name, media_type, count, rows, first, last in connection.execute(grouped)
    )


def _coverage(connection: Connection, key: VersionKey) -> ResultCoverage | None:
    """Return what the current results of a version cover; None without any."""
    columns = chunk_revisions.c
    current = (key.rows_of(chunk_revisions), columns.current)
    facts = select(
        func.count().label("chunks"),
        func.sum(case((columns.revision > 1, 1), else_=0)).label("revised"),
        func.min(columns.chunk_start).label("first"),
        func.max(columns.chunk_end).label("last"),
        func.max(columns.computed_at).label("computed_at"),
    )
    row = connection.execute(facts.where(*current)).mappings().one()
    if not row["chunks"]:
        return None
    codes = connection.execute(select(columns.code_version).where(*current).distinct()).scalars()
    first, last, computed_at = (aware_utc(row[name]) for name in ("first", "last", "computed_at"))
    return ResultCoverage(int(row["chunks"]), int(row["revised"]), first, last, computed_at, tuple(sorted(codes)))
