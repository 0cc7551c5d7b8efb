"""Writes groups of rows in a transaction of the caller; a refused group is halved until its invalid rows are single."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, Self, TypeVar

from sqlalchemy import Connection

from driftline.errors import DriftlineError, NotFound
from driftline.ingest.ingestion import REFUSALS, Ingestion, Sent, Write


class Group(Protocol):
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


G = TypeVar("G", bound=Group)
Prepared = Write | DriftlineError
"""What writes a group, or why it is refused before anything is written."""


def prepared(ingestion: Ingestion, group: Group, kind: str) -> Prepared:
    """Read and check a group, before the transaction begins; `kind` is what its rows are."""
    try:
        return ingestion.prepare(group.model, group.sent, kind)
    except (NotFound, *REFUSALS) as error:
        return error


@dataclass
class GroupWriter(Generic[G]):
    """Writes groups in one transaction and counts their rows, new or not.

    `refuse` takes what cannot be written, and why: single rows, or all rows for a model that does not exist.
    """

    connection: Connection
    ingestion: Ingestion
    kind: str
    refuse: Callable[[G, DriftlineError], None]
    rows: int = 0

    def add(self, group: G, ready: Prepared) -> None:
        """Write a group as `prepared` returned it, except for its rows that are refused."""
        error = ready if isinstance(ready, DriftlineError) else self._write(ready)
        if error is None:
            return
        if isinstance(error, NotFound) or len(group) == 1:
            self.refuse(group, error)
            return
        for half in group.halves():
            self.add(half, prepared(self.ingestion, half, self.kind))

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
