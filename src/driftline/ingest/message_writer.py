"""Stores the messages of one partition: their rows, how far the partition was read, and what was refused."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from driftline.errors import DriftlineError, NotFound
from driftline.ingest.group_writer import GroupWriter, prepared
from driftline.ingest.ingestion import Ingestion
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
        groups = [(group, prepared(self.ingestion, group, self.kind)) for group in grouped(rows)]

        def write(connection: Connection) -> StoredMessages:
            source_offsets.advance(connection, source, part, expected, messages[-1].offset + 1)
            refused = _Refused(connection, self.ingestion, self.kind, [*dead])
            writer = GroupWriter(connection, self.ingestion, self.kind, refused.add)
            for group, ready in groups:
                writer.add(group, ready)
            if refused.dead_letters:
                self.publish(refused.dead_letters)
            return StoredMessages(writer.rows, len(refused.dead_letters))

        return in_transaction(self.ingestion.engine, write)


@dataclass
class _Refused:
    """The dead letters of a transaction; the first of those whose model exists are logged in it."""

    connection: Connection
    ingestion: Ingestion
    kind: str
    dead_letters: list[DeadLetter]
    logged: int = 0

    def add(self, group: RowGroup, error: DriftlineError) -> None:
        self.dead_letters += [DeadLetter(row.message, str(error)) for row in group.rows]
        if self.logged < MOST_LOGGED and not isinstance(error, NotFound):
            self.ingestion.log_refusal(self.connection, group.model, group.sent, self.kind, error)
            self.logged += 1
