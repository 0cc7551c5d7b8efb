"""One run of a job at a time: a lock that the database releases when its holder's connection ends."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import DBAPIError

from driftline.errors import Conflict
from driftline.store.database import translated

PATIENCE_SECONDS = 15
"""Seconds to wait for the lock, since a killed run's connection may end late."""


@dataclass
class JobLock:
    """A job's lock of a database; not safe to use from two threads at once."""

    engine: Engine
    job: str
    _connection: Connection | None = None

    def hold(self) -> None:
        """Take the lock; where it is held, check that it still is, and take it again after a lost connection.

        Raises:
            Conflict: another run holds the lock.
            Unavailable: the database does not answer; call it again later.
        """
        with translated():
            if not self._is_held():
                self.release()
                self._connection = self._take()

    def release(self) -> None:
        """Release the lock, if it is held."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(DBAPIError), connection:  # a lost connection has already released the lock
                connection.execute(select(func.release_lock(self._name)))

    def _take(self) -> Connection:
        """Return a new connection that has taken the lock."""
        connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            if connection.execute(select(func.get_lock(self._name, PATIENCE_SECONDS))).scalar() == 1:
                return connection
            raise Conflict(f"Another run of {self.job} is using this database; wait until it ends.")
        except BaseException:
            connection.close()
            raise

    def is_taken(self) -> bool:
        """Return whether a run holds the lock, this one or another; raises `Unavailable` without the database."""
        with translated(), self.engine.connect() as connection:
            return connection.execute(select(func.is_used_lock(self._name))).scalar() is not None

    def _is_held(self) -> bool:
        """Return whether the lock is held still; a lost connection is given up."""
        if self._connection is None:
            return False
        try:
            held = select(func.is_used_lock(self._name) == func.connection_id())
            return bool(self._connection.execute(held).scalar())
        except DBAPIError:
            lost, self._connection = self._connection, None
            lost.invalidate()
            lost.close()
            return False

    @property
    def _name(self) -> str:
        """The name of the lock: names are unique on the server and have at most 64 characters."""
        return hashlib.sha256(f"{self.engine.url.database}/{self.job}".encode()).hexdigest()[:32]


@contextmanager
def only_one(engine: Engine, job: str) -> Iterator[JobLock]:
    """Hold the job's lock of this database.

    Raises:
        Conflict: another run holds the lock.
    """
    lock = JobLock(engine, job)
    lock.hold()
    try:
        yield lock
    finally:
        lock.release()
