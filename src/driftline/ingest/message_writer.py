"""Stores the messages of one partition: their rows, how far the partition was read, and what was refused."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from driftline.errors import DriftlineError, NotFound
from driftline.ingest.ingestion import REFUSALS, Ingestion, Write
from driftline.ingest.messages import DeadLetter, Message, RowGroup, grouped, parsed
from driftline.store import source_offsets
from driftline.store.database import in_transaction, translated
from driftline.store.source_offsets import OffsetMoved

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
    safe: before the transaction commits, so that none is lost. Those of invalid messages are published before it
    begins. What was published is remembered until the messages are stored, and not published again by further attempts;
    some letters are published twice if the process dies in between. `model` is that of messages that name none.
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
        rows, dead = parsed(messages, self.model)
        prepared = [leaf for group in grouped(rows) for leaf in _prepared(self.ingestion, group, self.kind)]
        for group, ready in prepared:
            if isinstance(ready, DriftlineError):
                dead += [DeadLetter(row.message, str(ready)) for row in group.rows]

        def write(connection: Connection) -> StoredMessages:
            source_offsets.advance(connection, source, part, expected, messages[-1].offset + 1)
            writing = _Writing(connection, self.ingestion, self.kind)
            for group, ready in prepared:
                writing.add(group, ready)
            self._publish(writing.dead_letters)
            return StoredMessages(writing.rows, len(dead) + len(writing.dead_letters))

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
class _Writing:
    """A transaction that writes groups; one that conflicts is halved until its conflicting messages are single.

    `dead_letters` are the messages that conflict with what is stored.
    """

    connection: Connection
    ingestion: Ingestion
    kind: str
    rows: int = 0
    logged: int = 0
    dead_letters: list[DeadLetter] = field(default_factory=list)

    def add(self, group: RowGroup, ready: Write | DriftlineError) -> None:
        """Write a group, or log why it is refused."""
        if isinstance(ready, DriftlineError):
            self._log(group, ready)
            return
        error = self._write(ready)
        if error is None:
            return
        if len(group.rows) > 1:
            for half in group.halves():
                for leaf in _prepared(self.ingestion, half, self.kind):
                    self._add_again(*leaf)
        else:
            self.dead_letters.append(DeadLetter(group.rows[0].message, str(error)))
            self._log(group, error)

    def _add_again(self, group: RowGroup, ready: Write | DriftlineError) -> None:
        """Add a part of a group that was prepared before: where it is refused now, its messages are dead letters."""
        if isinstance(ready, DriftlineError):
            self.dead_letters += [DeadLetter(row.message, str(ready)) for row in group.rows]
        self.add(group, ready)

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

    def _log(self, group: RowGroup, error: DriftlineError) -> None:
        """Log a refused message, unless its model is unknown."""
        if self.logged < MOST_LOGGED and not isinstance(error, NotFound):
            self.ingestion.log_refusal(self.connection, group.model, group.sent, self.kind, error)
            self.logged += 1


def _prepared(ingestion: Ingestion, group: RowGroup, kind: str) -> Iterator[tuple[RowGroup, Write | DriftlineError]]:
    """Yield a group with what writes it, or its parts: valid ones, and single invalid messages with their faults."""
    try:
        yield group, ingestion.prepare(group.model, group.sent, kind)
    except NotFound as error:
        yield group, error
    except REFUSALS as error:
        if len(group.rows) == 1:
            yield group, error
            return
        for part in group.parts({fault.row for fault in error.rows}):
            yield from _prepared(ingestion, part, kind)
