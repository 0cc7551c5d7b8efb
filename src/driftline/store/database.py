"""Connections to MySQL: the engine, transactions that are retried, and drivers' errors translated once."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import Dialect, ExceptionContext
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.pool import ConnectionPoolEntry
from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

from driftline.errors import DatabaseBusy, DatabaseRefused, DatabaseUnavailable, DatabaseUntrusted, NotMigrated
from driftline.settings import DatabaseSettings
from driftline.store import connection as driver
from driftline.store import statement_spans
from driftline.tls import client_context

DEADLOCK, LOCK_TIMEOUT, CHECKREAD, DUPLICATE = 1213, 1205, 1020, 1062
RETRYABLE = frozenset({DEADLOCK, LOCK_TIMEOUT, CHECKREAD, DUPLICATE})
"""Error codes that another transaction caused: a second run sees what that one wrote (a duplicate key included)."""
UNREACHABLE = frozenset({1040, 1053, 1927, 2003, 2006, 2013, 2014, 2055, 4031, 0})
"""Error codes of a server that is away or stopping, or of a lost connection (0 is PyMySQL's own closed connection)."""
REFUSED = frozenset({1044, 1045, 1049, 1698})
"""Error codes of a server that rejects this user, password or schema."""
NO_TLS = frozenset({2026, 3159})
"""Error codes of a server that does not support TLS, and of one that requires it."""
NO_SUCH_TABLE = 1146
ATTEMPTS = 8

T = TypeVar("T")

LONGEST_JOINED_TEXT = 8 * 2**20
"""How many bytes a text may have that the server joins from those of several rows; it would cut a longer one."""
_SESSION = (
    "SET time_zone = '+00:00', sql_mode = 'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', collation_connection = 'utf8mb4_bin', "
    f"group_concat_max_len = {LONGEST_JOINED_TEXT}"
)


def make_engine(settings: DatabaseSettings, *, pool_size: int = 5, lock_wait_seconds: int | None = None) -> Engine:
    """Make the engine: READ COMMITTED, UTC sessions, strict mode, utf8mb4, LOAD DATA LOCAL allowed.

    A statement waits `lock_wait_seconds` for a lock; None leaves the server's default, 50 s. It connects on first use.
    Where the settings name a CA, it connects only by TLS, to a certificate of that CA.

    Raises:
        InvalidInput: the CA, certificate or key that the settings name cannot be used.
    """
    lock_wait = "" if lock_wait_seconds is None else f", innodb_lock_wait_timeout = {lock_wait_seconds}"
    address = URL.create(
        "mysql+pymysql",
        username=settings.user,
        password=settings.password.get_secret_value(),
        host=settings.host,
        port=settings.port,
        database=settings.name,
        query={"charset": "utf8mb4"},
    )
    engine = create_engine(
        address,
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_size=pool_size,
        pool_recycle=600,
        connect_args={
            "init_command": _SESSION + lock_wait,
            "local_infile": True,
            "connect_timeout": 5,
            "ssl": tls_context(settings),
        },
    )
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "handle_error", _end_stream)
    statement_spans.watch(engine)
    return engine


def _connect(_: Dialect, __: ConnectionPoolEntry, arguments: list[Any], options: dict[str, Any]) -> driver.Connection:
    return driver.Connection(*arguments, **options)


def _end_stream(context: ExceptionContext) -> None:
    """Mark the stream of a lost connection as ended: PyMySQL would fail as it reads the rest to close it."""
    cursor = getattr(context.execution_context, "cursor", None)
    stream = getattr(cursor, "_result", None)
    if context.is_disconnect and stream is not None:
        stream.unbuffered_active = False


def tls_context(settings: DatabaseSettings) -> ssl.SSLContext | None:
    """Return what PyMySQL requires of the server's certificate, or None where the settings name no CA.

    Raises:
        InvalidInput: the CA, certificate or key that the settings name cannot be used.
    """
    return client_context(settings.ssl_ca, settings.ssl_cert, settings.ssl_key) if settings.ssl_ca else None


def error_code(error: DBAPIError) -> int:
    """Return the server's code of an error, -1 where it has none."""
    arguments = getattr(error.orig, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else -1


def _is_retryable(error: BaseException) -> bool:
    return isinstance(error, DBAPIError) and error_code(error) in RETRYABLE


@contextmanager
def translated() -> Iterator[None]:
    """Raise a driver's error as the Driftline error that names its cure; others pass unchanged."""
    try:
        yield
    except DBAPIError as error:
        code = error_code(error)
        if code in NO_TLS or _tls_fault(error):
            raise DatabaseUntrusted(_tls_message(error)) from error
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
    """Return the failure of the TLS handshake, which PyMySQL reports as an unreachable host."""
    cause = getattr(error.orig, "original_exception", None)
    return cause if isinstance(cause, ssl.SSLError) else None


def _tls_message(error: DBAPIError) -> str:
    """Return why no trusted connection was made, and what to do."""
    fault = _tls_fault(error)
    if isinstance(fault, ssl.SSLCertVerificationError):
        return f"{DatabaseUntrusted.default_message()} OpenSSL says: {fault.verify_message}"
    if fault:
        return (
            f"The TLS handshake with MySQL failed ({fault.reason}); check DB_SSL_CERT, DB_SSL_KEY and its TLS versions."
        )
    if error_code(error) == 3159:
        return "MySQL requires TLS; set DB_SSL_CA to the CA of its certificate."
    return (
        "MySQL does not support TLS, which DB_SSL_CA requires; configure a certificate in MySQL, or unset DB_SSL_CA. "
        "No password was sent."
    )


def in_transaction(engine: Engine, work: Callable[[Connection], T], *, lock_waits: int | None = None) -> T:
    """Run `work` in one transaction, and all of it again after a conflict with another transaction.

    There are at most `ATTEMPTS` of them, and no further one after `lock_waits` that ended because rows stayed locked.

    Raises:
        DatabaseUnavailable: the server is away. Either nothing was changed or the commit's outcome is unknown, and a
            second call is safe because batches are written once.
        DatabaseBusy: another transaction held the rows at each attempt; nothing was changed.
    """
    retrying = Retrying(
        retry=retry_if_exception(_is_retryable),
        wait=wait_random_exponential(0.02, max=2),
        stop=_stop_after(ATTEMPTS, lock_waits),
        reraise=True,
    )

    def once() -> T:
        with engine.begin() as connection:
            actions = _actions[connection] = []
            result = work(connection)
        for action in actions:
            action()
        return result

    with translated():
        return retrying(once)


_actions: WeakKeyDictionary[Connection, list[Callable[[], None]]] = WeakKeyDictionary()
"""By connection what is to be done once its transaction is committed."""


def after_commit(connection: Connection, action: Callable[[], None]) -> None:
    """Call a function once the transaction of `in_transaction` is committed, and not where it is rolled back.

    The function must neither fail nor wait. After the error of a commit, whose outcome is unknown, it is not called.
    """
    _actions.setdefault(connection, []).append(action)


def _stop_after(attempts: int, lock_waits: int | None) -> Callable[[RetryCallState], bool]:
    """Return a condition that holds after so many attempts, or so many that timed out waiting for locks."""
    waits = 0

    def stop(state: RetryCallState) -> bool:
        nonlocal waits
        error = state.outcome and state.outcome.exception()
        waits += isinstance(error, DBAPIError) and error_code(error) == LOCK_TIMEOUT
        return state.attempt_number >= attempts or (lock_waits is not None and waits >= lock_waits)

    return stop
