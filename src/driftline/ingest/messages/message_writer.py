"""Stores the messages of one partition: their rows, the offset, and refused messages."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from driftline.errors import DriftlineError, NotFound
from driftline.ingest.ingestion import Ingestion
from driftline.ingest.messages.group_writer import GroupWriter, prepare_group
from driftline.ingest.messages.message import DeadLetter, Message, RowGroup, group_rows, parse_messages
from driftline.store.database import in_transaction, translated
from driftline.store.sources import source_offsets
from driftline.store.sources.source_offsets import OffsetMoved

MOST_LOGGED = 20
"""How many refused messages of those stored together are in the ingest log; the dead letters are all of them."""


@dataclass(frozen=True, slots=True)
class StoredMessages:
    """The outcome of messages: how many rows are stored (new or not), and how many messages are refused."""

    rows: int
    dead_letters: int


@dataclass(frozen=True)
class MessageWriter:
    """Stores the messages of one partition in one transaction; an invalid message does not hold up the others.

    `kind` is what the messages are: predictions or labels. `publish` takes the dead letters, and returns when they are
    safe: before the transaction commits, so that none is lost. Those of invalid messages are published before the
    transaction begins. Until the messages are stored, published letters are remembered, so that further attempts do not
    publish them again; some are published twice if the process dies in between. `model` is the model of messages that
    do not name one.
    """

    ingestion: Ingestion
    kind: str
    publish: Callable[[Sequence[DeadLetter]], None]
    model: str | None = None
    _published: set[Message] = field(init=False, repr=False, compare=False, default_factory=set)

    def store(self, source: str, part: int, expected: int | None, messages: Sequence[Message]) -> StoredMessages:
        """Store messages of a partition that follow each other; `expected` is the stored offset, None for none.

        Raises:
            OffsetMoved: another process has stored messages of this partition; nothing was changed.
            Unavailable: the database or the dead letters' topic does not answer; nothing was changed.
        """
        rows, dead = parse_messages(messages, self.model)
        groups = [part for group in group_rows(rows) for part in prepare_group(self.ingestion, group, self.kind)]
        for group, ready in groups:
            if isinstance(ready, DriftlineError):
                dead += [DeadLetter(row.message, str(ready)) for row in group.rows]

        def write(connection: Connection) -> StoredMessages:
            source_offsets.advance(connection, source, part, expected, messages[-1].offset + 1)
            refused = _RefusedMessages(connection, self.ingestion, self.kind, {letter.message for letter in dead})
            writer = GroupWriter(connection, self.ingestion, self.kind, refused.add)
            for group, ready in groups:
                writer.add(group, ready)
            self._publish(refused.dead_letters)
            return StoredMessages(writer.rows, len(dead) + len(refused.dead_letters))

        engine = self.ingestion.engine
        try:
            if dead:
                with translated(), engine.connect() as connection:
                    source_offsets.require(connection, source, part, expected)
                self._publish(dead)
            stored = in_transaction(engine, write)
        except OffsetMoved:
            self._published.difference_update(messages)
            raise
        self._published.difference_update(messages)
        return stored

    def _publish(self, letters: Sequence[DeadLetter]) -> None:
        """Publish letters that were not published by an earlier attempt."""
        new = [letter for letter in letters if letter.message not in self._published]
        if new:
            self.publish(new)
            self._published.update(letter.message for letter in new)


@dataclass
class _RefusedMessages:
    """Messages that a transaction refuses; the first of those whose model is known are logged in it.

    `dead_letters` are those that are not `published` before it begins: they conflict with what is stored.
    """

    connection: Connection
    ingestion: Ingestion
    kind: str
    published: Collection[Message]
    logged: int = 0
    dead_letters: list[DeadLetter] = field(default_factory=list)

    def add(self, group: RowGroup, error: DriftlineError) -> None:
        """Add the messages of a group."""
        messages = (row.message for row in group.rows if row.message not in self.published)
        self.dead_letters += [DeadLetter(message, str(error)) for message in messages]
        if self.logged < MOST_LOGGED and not isinstance(error, NotFound):
            self.ingestion.log_refusal(self.connection, group.model, group.sent, self.kind, error)
            self.logged += 1
