"""Reads tables and queries of a user's MySQL, and stores each row once, also when processes are killed."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from threading import Event

from pydantic import SecretStr
from sqlalchemy import Connection

from driftline.backtesting.input.values.instants import as_datetime, as_microseconds
from driftline.errors import DriftlineError, NotFound
from driftline.ingest.ingestion import Ingestion
from driftline.ingest.messages.group_writer import GroupWriter, Prepared, prepare_group
from driftline.lineage.runs import ingesting
from driftline.store.database import in_transaction, translated
from driftline.store.ledger import BatchKind
from driftline.store.sources import source_offsets
from driftline.store.sources.source_offsets import OffsetMoved
from driftline.worker import Retries, persist, repeat
from monitoring.ingest.sql_config import SqlSourceConfig
from monitoring.ingest.sql_rows import HandledRows, RowReader, SqlRows
from monitoring.ingest.sql_table import SqlTable

log = logging.getLogger(__name__)

MOST_LOGGED = 20
"""How many refused rows of a page are in the ingest log."""
LONGEST_PAUSE = 300.0
"""Seconds to wait at most after failures; each further failure doubles the pause."""


@dataclass
class SqlRowCounts:
    """How many rows were sent (stored now or before), and how many were refused."""

    rows: int = 0
    refused: int = 0


@dataclass
class SqlSource:
    """Reads one table or query into a database.

    Where to read on is stored in the transaction of the rows: the newest position, which is never after the present of
    the server. Each pass begins some minutes before it, since rows commit out of order; rows that were handled, and did
    not change, are not sent again.
    """

    config: SqlSourceConfig
    url: SecretStr
    ingestion: Ingestion
    _table: SqlTable = field(init=False)
    _handled: dict[BatchKind, HandledRows] = field(init=False)
    _warned: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        """Make the engine; nothing is read."""
        self._table = SqlTable(self.config, self.url)
        self._handled = defaultdict(HandledRows)

    def run(self, stop: Event, every: float, since: datetime | None = None) -> None:
        """Read every so many seconds until `stop` is set; a failure is logged, and the next pass begins later.

        The first pass begins at `since`, if it is given.
        """
        retries = Retries(2 * every, max(LONGEST_PAUSE, every), DriftlineError, f"{self.config.name}: ")
        persist(lambda: self.read(stop, since), stop, retries)
        stop.wait(every)
        repeat(lambda: self.read(stop), every, stop, retries)
        self.close()

    def close(self) -> None:
        """Close the connections to the table's server."""
        self._table.close()

    def check(self) -> int:
        """Read and check the first rows, and store nothing; return how many there are.

        Raises:
            SourceUnavailable: the table cannot be read. InvalidInput: a column does not exist, or rows are invalid.
            NotFound: no such model or version.
        """
        reader = self._reader()
        page = next(self._table.pages(reader.names, None), None)
        rows = page.rows if page else []
        for kind, group in reader.groups(rows):
            self.ingestion.prepare(group.model, group.sent, kind)
        return len(rows)

    def read(self, stop: Event, since: datetime | None = None) -> SqlRowCounts:
        """Read the new and changed rows once and store them; return their number.

        Raises:
            SourceUnavailable: the table cannot be read. Unavailable: the database does not answer.
            InvalidInput: a column does not exist. NotFound: no such model or version.
        """
        reader = self._reader()
        zone = reader.position_zone
        now = self._table.now().astimezone(zone).replace(tzinfo=None)
        position, start = self._position(), None
        if since is not None:
            start = since.astimezone(zone).replace(tzinfo=None)
        elif position is not None:
            start = as_datetime(position).replace(tzinfo=None) - reader.overlap
        total = SqlRowCounts()
        for page in self._table.pages(reader.names, start):
            counts, position = self._store(reader, page.rows, position, min(page.last, now))
            total.rows, total.refused = total.rows + counts.rows, total.refused + counts.refused
            if stop.is_set():
                break
        return total

    def _reader(self) -> RowReader:
        """Return what reads the rows as the model and the table are now."""
        layout = self.ingestion.targets.of(self.config.model, self.config.version).flat
        reader = RowReader(self.config, layout, self._table.columns())
        if not self._warned and self._table.has_rows_without_position():
            log.warning("%s: rows whose %s is NULL are not read.", self.config.name, self.config.position)
        self._warned = True
        return reader

    def _position(self) -> int | None:
        """Return the stored position: microseconds since 1970 of a time as the column has it, or None at first."""
        with translated(), self.ingestion.engine.connect() as connection:
            return source_offsets.read(connection, self._offsets_name, [0]).get(0)

    @property
    def _offsets_name(self) -> str:
        return f"sql/{self.config.name}"

    def _store(
        self, reader: RowReader, rows: Sequence[Sequence[object]], expected: int | None, last: datetime
    ) -> tuple[SqlRowCounts, int | None]:
        """Store the rows of a page that changed, and the position, which never goes back; return both."""
        groups = [(kind, self._handled[kind].changed(group)) for kind, group in reader.groups(rows)]
        groups = [(kind, group) for kind, group in groups if len(group)]
        reached = as_microseconds(last.replace(tzinfo=UTC))
        if not groups and expected is not None and reached <= expected:
            return SqlRowCounts(), expected
        ready = [(kind, *part) for kind, group in groups for part in prepare_group(self.ingestion, group, kind)]
        while True:
            position = reached if expected is None else max(expected, reached)
            write = partial(self._write, expected=expected, position=position, ready=ready)
            try:
                with ingesting(self._table.dataset):
                    counts = in_transaction(self.ingestion.engine, write)
                break
            except OffsetMoved as error:  # by another process, which may have read the table before these rows came
                log.info("%s", error)
                expected = self._position()
        for kind, group in groups:
            self._handled[kind].add(group)
        log.info("%s: %d rows sent, %d refused, until %s.", self.config.name, counts.rows, counts.refused, last)
        return counts, position

    def _write(
        self,
        connection: Connection,
        *,
        expected: int | None,
        position: int,
        ready: Sequence[tuple[BatchKind, SqlRows, Prepared]],
    ) -> SqlRowCounts:
        source_offsets.advance(connection, self._offsets_name, 0, expected, position)
        counts, refused = SqlRowCounts(), _RefusedRows(connection, self.ingestion)
        for kind, group, write in ready:
            writer = GroupWriter(connection, self.ingestion, kind, partial(refused.add, kind))
            writer.add(group, write)
            counts.rows += writer.rows
        counts.refused = refused.rows
        return counts


@dataclass
class _RefusedRows:
    """The rows of a page that are refused; the first of them are in the ingest log, in the same transaction."""

    connection: Connection
    ingestion: Ingestion
    rows: int = 0

    def add(self, kind: BatchKind, group: SqlRows, error: DriftlineError) -> None:
        """Count a refused row, and log it; a model that does not exist is waited for."""
        if isinstance(error, NotFound):
            raise error
        self.rows += len(group)
        named = error.reworded(f"The row with the key {group.keys[0]!r}: {error.message}")
        if self.rows <= MOST_LOGGED:
            self.ingestion.log_refusal(self.connection, group.model, group.sent, kind, named)
            log.warning("%s: %s", group.config.name, named)


def run_all(sources: Sequence[SqlSource], stop: Event, every: float, since: datetime | None) -> None:
    """Read all sources, each in a thread, so that none waits for another; end all where one ends by an error."""
    with ThreadPoolExecutor(len(sources)) as pool:
        threads = [pool.submit(source.run, stop, every, since) for source in sources]
        wait(threads, return_when=FIRST_EXCEPTION)
        stop.set()
    for thread in threads:
        thread.result()
