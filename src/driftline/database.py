"""The one door to MySQL: the engine, whole transactions that retry, and drivers' errors translated once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, InterfaceError
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from driftline.errors import DatabaseBusy, DatabaseRefused, DatabaseUnavailable, NotMigrated
from driftline.settings import DatabaseSettings

DEADLOCK, LOCK_TIMEOUT, CHECKREAD, DUPLICATE = 1213, 1205, 1020, 1062
PASSING = frozenset({DEADLOCK, LOCK_TIMEOUT, CHECKREAD, DUPLICATE})
"""What another transaction caused: run again, this one sees what that one wrote (a duplicate key included)."""
UNREACHABLE = frozenset({1040, 1053, 1927, 2003, 2006, 2013, 2014, 2055, 4031, 0})
"""Error codes of a server that is away, stopping, or lost on the way (0 is PyMySQL's own closed connection)."""
REFUSED = frozenset({1044, 1045, 1049, 1698})
"""Error codes of a server that does not know this user, password or schema, or does not let the user in."""
NO_SUCH_TABLE = 1146
ATTEMPTS = 8

T = TypeVar("T")

_SESSION = (
    "SET time_zone = '+00:00', sql_mode = 'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', collation_connection = 'utf8mb4_bin'"
)


def make_engine(settings: DatabaseSettings, *, pool_size: int = 5) -> Engine:
    """Make the engine: READ COMMITTED, UTC sessions, strict mode, utf8mb4, LOAD DATA LOCAL allowed.

    Nothing is connected yet.
    """
    address = URL.create(
        "mysql+pymysql",
        username=settings.user,
        password=settings.password.get_secret_value(),
        host=settings.host,
        port=settings.port,
        database=settings.name,
        query={"charset": "utf8mb4"},
    )
    return create_engine(
        address,
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_size=pool_size,
        pool_recycle=600,
        connect_args={"init_command": _SESSION, "local_infile": True, "connect_timeout": 5},
        execution_options={"schema_translate_map": {"truth": settings.truth_name}},
    )


def error_code(error: DBAPIError) -> int:
    """Give the server's number for an error, -1 where there is none."""
    arguments = getattr(error.orig, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else -1


def _passes(error: BaseException) -> bool:
    return isinstance(error, DBAPIError) and error_code(error) in PASSING


@contextmanager
def translated() -> Iterator[None]:
    """Turn a driver's error into Driftline's: a server that is away, a schema that is not migrated."""
    try:
        yield
    except DBAPIError as error:
        code = error_code(error)
        if error.connection_invalidated or code in UNREACHABLE or isinstance(error, InterfaceError):
            raise DatabaseUnavailable from error
        if code in (DEADLOCK, LOCK_TIMEOUT):
            raise DatabaseBusy from error
        if code in REFUSED:
            raise DatabaseRefused from error
        if code == NO_SUCH_TABLE:
            raise NotMigrated from error
        raise


def in_transaction(engine: Engine, work: Callable[[Connection], T]) -> T:
    """Run `work` in one transaction; where another one is in its way the whole of it runs again.

    Raises:
        DatabaseUnavailable: the server is away (nothing was changed, or the commit's fate is unknown: replay is safe).
        DatabaseBusy: locks were in the way each time; nothing was changed.
    """
    retrying = Retrying(
        retry=retry_if_exception(_passes),
        wait=wait_random_exponential(0.02, max=2),
        stop=stop_after_attempt(ATTEMPTS),
        reraise=True,
    )

    def once() -> T:
        with engine.begin() as connection:
            return work(connection)

    with translated():
        return retrying(once)


def is_reachable(engine: Engine) -> bool:
    """Say whether the server answers a query now."""
    try:
        with translated(), engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except DatabaseUnavailable:
        return False
    return True
