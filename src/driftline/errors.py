"""All errors of Driftline: one base class; a docstring's first paragraph is the default message and names the cure."""

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Self

MOST_ROWS = 100
"""How many faulty rows an error lists."""


@dataclass(frozen=True, slots=True, order=True)
class RowFault:
    """A fault of one row that does not depend on other rows: its number from 1, the column, the value, the cure."""

    row: int
    column: str
    value: str | None
    cure: str


class DriftlineError(Exception):
    """An unexpected error occurred in Driftline; see the log of the service.

    >>> import driftline as dl
    >>> try:
    ...     dl.Monitor({"columns": ["usage"], "label_delay": "x"})
    ... except dl.DriftlineError as error:
    ...     print(error.code, error.status.value, error.message)
    invalid_input 400 The spec is not valid.
    """

    status: HTTPStatus = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(
        self, message: str | None = None, *, details: tuple[str, ...] = (), rows: Iterable[RowFault] = ()
    ) -> None:
        """Store the message, by default that of the class; `details` lists several faults one by one.

        Of `rows`, the first faults by row are stored, and whether there are more of them.
        """
        self.message = message or self.default_message()
        self.details = details
        faults = sorted(rows, key=lambda fault: fault.row)
        self.rows, self.more_rows = tuple(faults[:MOST_ROWS]), len(faults) > MOST_ROWS
        super().__init__("\n".join((self.message, *(f"  - {detail}" for detail in details))))

    @classmethod
    def default_message(cls) -> str:
        """Return the first paragraph of the docstring."""
        return (cls.__doc__ or "").partition("\n\n")[0].strip()

    def reworded(self, message: str) -> Self:
        """Return the same error with another message: its kind, its details and its rows."""
        error = type(self)(message, details=self.details, rows=self.rows)
        error.more_rows = self.more_rows
        return error

    @property
    def code(self) -> str:
        """The machine-readable name of the error: `batch_conflict` for `BatchConflict`."""
        name = type(self).__name__
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


class InvalidInput(DriftlineError):
    """The input is invalid and nothing was changed; correct the listed faults and send it again.

    >>> import driftline as dl
    >>> try:
    ...     dl.Spec(columns=[], minimum_rows=1)
    ... except dl.InvalidInput as error:
    ...     print("; ".join(error.details))
    spec: columns: too few items; write at least 1; spec: minimum_rows: 1 is out of range; write 2 or more
    """

    status = HTTPStatus.BAD_REQUEST


class SchemaMismatch(InvalidInput):
    """Columns are missing; the message lists the missing and the available ones.

    >>> import pandas as pd
    >>> import driftline as dl
    >>> dl.Monitor({"columns": ["usage"]}).fit(pd.DataFrame({"id": [1], "event_time": "2026-01-01"}))
    Traceback (most recent call last):
    driftline.errors.SchemaMismatch: Columns are missing: usage, probability_1, ... Available: id, event_time.
    """

    @classmethod
    def of(cls, missing: tuple[str, ...], available: tuple[str, ...]) -> "SchemaMismatch":
        """Return the error that lists the missing and the available columns."""
        return cls(f"Columns are missing: {', '.join(missing)}. Available: {', '.join(available) or 'none'}.")


class MissingLibrary(DriftlineError):
    """A required library is not installed; the message names it and how to install it."""

    status = HTTPStatus.NOT_IMPLEMENTED


class OutOfMemory(DriftlineError):
    """The operating system killed a worker, probably for lack of memory; free some, or select fewer features."""

    status = HTTPStatus.INSUFFICIENT_STORAGE


class NotFound(DriftlineError):
    """Nothing exists under that name; list what exists and choose from it."""

    status = HTTPStatus.NOT_FOUND


class Conflict(DriftlineError):
    """The request conflicts with what is stored or running; check the current state first."""

    status = HTTPStatus.CONFLICT


class BatchConflict(Conflict):
    """The ledger has this batch id with different content; send changed rows as a correction under a new batch id."""


class PredictionConflict(Conflict):
    """A prediction with this id is stored with different content; send an intended change as a correction."""

    ids: tuple[str, ...] = ()
    """All ids that are stored with other content."""


class Unavailable(DriftlineError):
    """A required server does not answer; start it, or wait and try again."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class DatabaseUnavailable(Unavailable):
    """MySQL does not answer; check DB_HOST and DB_PORT, or start the server."""


class DatabaseRefused(Unavailable):
    """MySQL rejects the user, password or schema; check DB_USER, DB_PASSWORD and DB_NAME."""


class DatabaseUntrusted(Unavailable):
    """MySQL presents no certificate signed by DB_SSL_CA for DB_HOST; check both settings. No password was sent."""


class DatabaseBusy(Unavailable):
    """Other transactions lock the required rows; try again in a moment."""


class KafkaUnavailable(Unavailable):
    """Kafka does not answer; check KAFKA_BOOTSTRAP_SERVERS and KAFKA_SECURITY_PROTOCOL, or start the server."""


class KafkaRefused(KafkaUnavailable):
    """Kafka rejects this client's protocol, certificate or password; correct the KAFKA_* settings."""


class NotMigrated(Unavailable):
    """The database schema is not the one that this version requires; run `driftline db upgrade`."""
