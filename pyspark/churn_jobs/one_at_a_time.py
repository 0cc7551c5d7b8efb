"""One run of a job at a time: a lock that the database releases when its holder's connection ends."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import DBAPIError

from driftline.errors import Conflict
from driftline.store.database import translated

PATIENCE_SECONDS = 15
"""Seconds to wait for the lock, since a killed run's connection may end late."""


@contextmanager
def only_one(engine: Engine, job: str) -> Iterator[None]:
    """Hold the job's lock of this database.

    Raises:
        Conflict: another run holds the lock.
    """
    name = _name(engine, job)
    with translated(), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.execute(select(func.get_lock(name, PATIENCE_SECONDS))).scalar() != 1:
            raise Conflict(f"Another run of {job} is using this database; wait until it ends.")
        try:
            yield
        finally:
            with suppress(DBAPIError):  # a lost connection has already released the lock
                connection.execute(select(func.release_lock(name)))


def _name(engine: Engine, job: str) -> str:
    """Return the name of the lock: names are unique on the server and have at most 64 characters."""
    return hashlib.sha256(f"{engine.url.database}/{job}".encode()).hexdigest()[:32]
