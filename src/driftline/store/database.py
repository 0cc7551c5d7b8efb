"""The one door to MySQL: the engine, whole transactions that retry, and drivers' errors translated once."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, InterfaceError
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from driftline.errors import DatabaseBusy, DatabaseRefused, DatabaseUnavailable, DatabaseUntrusted, NotMigrated
from driftline.settings import DatabaseSettings
from driftline.tls import client_context

DEADLOCK, LOCK_TIMEOUT, CHECKREAD, DUPLICATE = 1213, 1205, 1020, 1062
PASSING = frozenset({DEADLOCK, LOCK_TIMEOUT, CHECKREAD, DUPLICATE})
"""What another transaction caused: run again, this one sees what that one wrote (a duplicate key included)."""
UNREACHABLE = frozenset({1040, 1053, 1927, 2003, 2006, 2013, 2014, 2055, 4031, 0})
"""Error codes of a server that is away, stopping, or lost on the way (0 is PyMySQL's own closed connection)."""
REFUSED = frozenset({1044, 1045, 1049, 1698})
"""Error codes of a server that does not know this user, password or schema, or does not let the user in."""
NO_TLS = frozenset({2026, 3159})
"""Error codes of a server that has no TLS, and of one that lets nobody in without."""
NO_SUCH_TABLE = 1146
ATTEMPTS = 8

T = TypeVar("T")

_SESSION = (
    "SET time_zone = '+00:00', sql_mode = 'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', collation_connection = 'utf8mb4_bin'"
)


def make_engine(settings: DatabaseSettings, *, pool_size: int = 5) -> Engine:
    """Make the engine: READ COMMITTED, UTC sessions, strict mode, utf8mb4, LOAD DATA LOCAL allowed.

    Nothing is connected yet. Where the settings name a CA, nothing ever is but by TLS with a certificate of it.

    Raises:
        InvalidInput: the CA, certificate or key that the settings name cannot be used.
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
        connect_args={
            "init_command": _SESSION,
            "local_infile": True,
            "connect_timeout": 5,
            "ssl": tls_context(settings),
        },
        execution_options={"schema_translate_map": {"truth": settings.truth_name}},
    )


def tls_context(settings: DatabaseSettings) -> ssl.SSLContext | None:
    """Give what PyMySQL's connections ask of the server's certificate: None where the settings name no CA.

    Raises:
        InvalidInput: the CA, certificate or key that the settings name cannot be used.
    """
    return client_context(settings.ssl_ca, settings.ssl_cert, settings.ssl_key) if settings.ssl_ca else None


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
        if code in NO_TLS or _tls_fault(error):
            raise DatabaseUntrusted(_distrust(error)) from error
        if error.connection_invalidated or code in UNREACHABLE or isinstance(error, InterfaceError):
            raise DatabaseUnavailable from error
        if code in (DEADLOCK, LOCK_TIMEOUT):
            raise DatabaseBusy from error
        if code in REFUSED:
            raise DatabaseRefused from error
        if code == NO_SUCH_TABLE:
            raise NotMigrated from error
        raise


def _tls_fault(error: DBAPIError) -> ssl.SSLError | None:
    """Give what failed in the TLS handshake, which PyMySQL wraps as a host that cannot be reached."""
    cause = getattr(error.orig, "original_exception", None)
    return cause if isinstance(cause, ssl.SSLError) else None


def _distrust(error: DBAPIError) -> str:
    fault = _tls_fault(error)
    if isinstance(fault, ssl.SSLCertVerificationError):
        return f"{DatabaseUntrusted.__doc__} OpenSSL says: {fault.verify_message}"
    if fault:
        return (
            f"The TLS handshake with MySQL failed ({fault.reason}); check DB_SSL_CERT, DB_SSL_KEY and its TLS versions."
        )
    if error_code(error) == 3159:
        return "MySQL lets nobody in without TLS; set DB_SSL_CA to the CA that its certificate is from."
    return "MySQL has no TLS, and DB_SSL_CA asks for it: give MySQL a certificate, or unset it. No password was sent."


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
