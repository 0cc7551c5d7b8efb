"""Writes groups of rows in a transaction of the caller, apart from the rows that are refused."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, Self, TypeVar

from sqlalchemy import Connection

from driftline.errors import DriftlineError, NotFound
from driftline.ingest.ingestion import REFUSALS, Ingestion, Sent, Write


class MessageGroup(Protocol):
    """Rows of one model and version."""

    @property
    def model(self) -> str:
        """The name of the model."""

    @property
    def sent(self) -> Sent:
        """The batch of the rows."""

    def __len__(self) -> int:
        """Return how many rows there are."""

    def halves(self) -> tuple[Self, Self]:
        """Return the first and the second half of at least two rows."""

    def parts(self, faulty: Collection[int]) -> Sequence[Self]:
        """Return the rows that are `faulty`, by their numbers from 1, each alone, and the others together."""


G = TypeVar("G", bound=MessageGroup)
Prepared = Write | DriftlineError
"""What writes a group, or why it is refused before anything is written."""


def prepare_group(ingestion: Ingestion, group: G, kind: str) -> Iterator[tuple[G, Prepared]]:
    """Yield a group with what writes it, or its parts: valid ones, and single invalid rows with their faults."""
    try:
        yield group, ingestion.prepare(group.model, group.sent, kind)
    except NotFound as error:
        yield group, error
    except REFUSALS as error:
        if len(group) == 1:
            yield group, error
            return
        for part in group.parts({fault.row for fault in error.rows}):
            yield from prepare_group(ingestion, part, kind)


@dataclass
class GroupWriter(Generic[G]):
    """Writes groups in one transaction; one that conflicts is halved until its conflicting rows are single.

    `refuse` takes what cannot be written, and why: single rows, or all rows for a model that does not exist. `rows`
    counts those that are stored, new or not.
    """

    connection: Connection
    ingestion: Ingestion
    kind: str
    refuse: Callable[[G, DriftlineError], None]
    rows: int = 0

    def add(self, group: G, ready: Prepared) -> None:
        """Write a group that `prepare_group` yielded, or refuse it."""
        if isinstance(ready, DriftlineError):
            self.refuse(group, ready)
            return
        error = self._write(ready)
        if error is None:
            return
        if len(group) == 1:
            self.refuse(group, error)
            return
        for half in group.halves():
            for part in prepare_group(self.ingestion, half, self.kind):
                self.add(*part)

    def _write(self, write: Write) -> DriftlineError | None:
        """Write a group, or undo it and return why it conflicts with stored rows."""
        savepoint = self.connection.begin_nested()
        try:
            self.rows += write(self.connection).rows
        except REFUSALS as error:
            savepoint.rollback()  # only after these errors: a deadlock ends the transaction and its savepoints
            return error
        savepoint.commit()
        return None
