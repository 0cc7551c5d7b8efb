"""Every error of Driftline: one base class whose docstring is the default message and names the cure."""

from http import HTTPStatus


class DriftlineError(Exception):
    """Something went wrong in Driftline; the log of the service says more."""

    status: HTTPStatus = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, message: str | None = None, *, details: tuple[str, ...] = ()) -> None:
        """Take a message (default: the class's docstring) and, where there are several faults, each in `details`."""
        self.message = message or (type(self).__doc__ or "").strip()
        self.details = details
        super().__init__("\n".join((self.message, *(f"  - {detail}" for detail in details))))

    @property
    def code(self) -> str:
        """The error's name for programs, in snake case: `BatchConflict` is `batch_conflict`."""
        name = type(self).__name__
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


class InvalidInput(DriftlineError):
    """The input does not fit; correct the faults listed and send it again. Nothing was changed."""

    status = HTTPStatus.BAD_REQUEST


class SchemaMismatch(InvalidInput):
    """Columns are missing; the error lists what is missing and what is there."""

    @classmethod
    def of(cls, missing: tuple[str, ...], available: tuple[str, ...]) -> "SchemaMismatch":
        """Name the missing columns and the available ones."""
        return cls(f"Columns are missing: {', '.join(missing)}. Available: {', '.join(available) or 'none'}.")


class MissingLibrary(DriftlineError):
    """A library that this needs is not installed; the error names it and how to get it."""

    status = HTTPStatus.NOT_IMPLEMENTED


class OutOfMemory(DriftlineError):
    """The system ended a part of the computation, most likely for want of memory; free some, or name fewer features."""

    status = HTTPStatus.INSUFFICIENT_STORAGE


class NotFound(DriftlineError):
    """There is nothing under that name; list what exists and choose from it."""

    status = HTTPStatus.NOT_FOUND


class Conflict(DriftlineError):
    """The request contradicts what is stored or running; look at the present state first."""

    status = HTTPStatus.CONFLICT


class BatchConflict(Conflict):
    """This batch id is in the ledger with other content; send changed rows as a correction under a new batch id."""


class PredictionConflict(Conflict):
    """A prediction with this id is stored with other content; send it as a correction if the change is meant."""


class Unavailable(DriftlineError):
    """A server that this needs does not answer; start it (`make up`) or wait and try again."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class DatabaseUnavailable(Unavailable):
    """MySQL does not answer; check DB_HOST and DB_PORT, or start it with `make up`."""


class DatabaseRefused(Unavailable):
    """MySQL refuses this user, password or schema; check DB_USER, DB_PASSWORD and DB_NAME."""


class DatabaseUntrusted(Unavailable):
    """MySQL cannot be trusted: it shows no certificate of DB_SSL_CA for the name DB_HOST. No password was sent."""


class DatabaseBusy(Unavailable):
    """Other transactions hold the rows that this one needs; try again in a moment."""


class KafkaUnavailable(Unavailable):
    """Kafka does not answer; check KAFKA_BOOTSTRAP_SERVERS and KAFKA_SECURITY_PROTOCOL, or start it with `make up`."""


class KafkaRefused(KafkaUnavailable):
    """Kafka and this client do not agree on KAFKA_SECURITY_PROTOCOL, certificates or passwords; correct KAFKA_*."""


class NotMigrated(Unavailable):
    """The database's schema is not the one this version needs; run `driftline db upgrade`."""
