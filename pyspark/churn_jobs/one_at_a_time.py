"""One run of a job at a time: a lock that the database lets go when its holder dies."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import DBAPIError

from driftline.errors import Conflict
from driftline.store.database import translated

PATIENCE_SECONDS = 15
"""A killed holder's connection may live on for a moment."""


@contextmanager
def only_one(engine: Engine, job: str) -> Iterator[None]:
    """Hold the job's lock of this database.

    Raises:
        Conflict: another run holds it.
    """
    name = _name(engine, job)
    with translated(), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.execute(select(func.get_lock(name, PATIENCE_SECONDS))).scalar() != 1:
            raise Conflict(f"Another run of {job} is at work on this database; wait for it to end.")
        try:
            yield
        finally:
            with suppress(DBAPIError):  # a connection that was lost has let the lock go already
                connection.execute(select(func.release_lock(name)))


def _name(engine: Engine, job: str) -> str:
    """Name the lock: such names are the whole server's, and of 64 characters at most."""
    return hashlib.sha256(f"{engine.url.database}/{job}".encode()).hexdigest()[:32]
