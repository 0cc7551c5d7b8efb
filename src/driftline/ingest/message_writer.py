"""Stores the messages of one partition: their rows, how far the partition was read, and what was refused."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from driftline.errors import DriftlineError, NotFound
from driftline.ingest.ingestion import REFUSALS, Ingestion, Write
from driftline.ingest.messages import DeadLetter, Message, RowGroup, grouped, parsed
from driftline.store import source_offsets
from driftline.store.database import in_transaction

MOST_LOGGED = 20
"""How many refused messages of those stored together are in the ingest log; the dead letters are all of them."""


@dataclass(frozen=True, slots=True)
class StoredMessages:
    """What became of messages: how many rows are stored (new or not), and how many messages are not."""

    rows: int
    dead_letters: int


@dataclass(frozen=True)
class MessageWriter:
    """Stores the messages of one partition in one transaction; an invalid message does not keep the others back.

    `kind` is what the messages are: predictions or labels. `publish` takes the dead letters, and returns when they are
    safe: before the transaction commits, so that none is lost. Some may be published twice if the process dies in
    between. `model` is that of messages that name none.
    """

    ingestion: Ingestion
    kind: str
    publish: Callable[[Sequence[DeadLetter]], None]
    model: str | None = None

    def store(self, source: str, part: int, expected: int | None, messages: Sequence[Message]) -> StoredMessages:
        """Store messages of a partition that follow each other; `expected` is the stored offset, None for none.

        Raises:
            OffsetMoved: another process has stored messages of this partition; nothing was changed.
            Unavailable: the database or the dead letters' topic does not answer; nothing was changed.
        """
        rows, dead = parsed(messages, self.model)
        prepared = [(group, _prepared(self.ingestion, group, self.kind)) for group in grouped(rows)]

        def write(connection: Connection) -> StoredMessages:
            source_offsets.advance(connection, source, part, expected, messages[-1].offset + 1)
            writing = _Writing(connection, self.ingestion, self.kind, dead_letters=[*dead])
            for group, ready in prepared:
                writing.add(group, ready)
            if writing.dead_letters:
                self.publish(writing.dead_letters)
            return StoredMessages(writing.rows, len(writing.dead_letters))

        return in_transaction(self.ingestion.engine, write)


@dataclass
class _Writing:
    """A transaction that writes groups; a refused group is halved until its invalid messages are single."""

    connection: Connection
    ingestion: Ingestion
    kind: str
    rows: int = 0
    logged: int = 0
    dead_letters: list[DeadLetter] = field(default_factory=list)

    def add(self, group: RowGroup, ready: Write | DriftlineError) -> None:
        """Write a group, or make dead letters of its messages that cannot be written."""
        error = ready if isinstance(ready, DriftlineError) else self._write(ready)
        if error is None:
            return
        if isinstance(error, NotFound):
            self.dead_letters += [DeadLetter(row.message, str(error)) for row in group.rows]
        elif len(group.rows) > 1:
            for half in group.halves():
                self.add(half, _prepared(self.ingestion, half, self.kind))
        else:
            self._refuse(group, error)

    def _write(self, write: Write) -> DriftlineError | None:
        """Write a group; return why it conflicts with what is stored, with the group undone."""
        savepoint = self.connection.begin_nested()
        try:
            self.rows += write(self.connection).rows
        except REFUSALS as error:
            savepoint.rollback()  # only after these errors: a deadlock ends the transaction and its savepoints
            return error
        savepoint.commit()
        return None

    def _refuse(self, group: RowGroup, error: DriftlineError) -> None:
        self.dead_letters.append(DeadLetter(group.rows[0].message, str(error)))
        if self.logged < MOST_LOGGED:
            self.ingestion.log_refusal(self.connection, group.model, group.sent, self.kind, error)
            self.logged += 1


def _prepared(ingestion: Ingestion, group: RowGroup, kind: str) -> Write | DriftlineError:
    """Return what writes a group, or why it is refused."""
    try:
        return ingestion.prepare(group.model, group.sent, kind)
    except (NotFound, *REFUSALS) as error:
        return error
