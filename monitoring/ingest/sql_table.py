"""Reads a user's table or query in pages, in the order of a time and the key; never writes to it."""

import re
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import (
    URL,
    ColumnClause,
    ColumnElement,
    CursorResult,
    Engine,
    FromClause,
    Select,
    and_,
    column,
    create_engine,
    event,
    func,
    literal_column,
    make_url,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.exc import ArgumentError, DBAPIError

from driftline.errors import InvalidInput, Unavailable
from driftline.lineage.datasets import Dataset, mysql_namespace
from driftline.store.database import error_code
from driftline.tls import client_context
from monitoring.ingest.sql_config import SqlSourceConfig

TIMED_OUT = frozenset({1969, 3024})
"""Error codes of a query that took too long: MariaDB's and MySQL's."""
CONNECT_SECONDS, SOCKET_SECONDS = 5, 30
"""How long to wait for a connection, and for an answer beyond the time-out of a query."""
TLS_OPTIONS = ("ssl_ca", "ssl_cert", "ssl_key")
"""What the address may name: a CA, and the client's certificate with its key."""
DRIVERS = ("mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql")
_PARAMETER = re.compile(r":(?=\w)")
"""What SQLAlchemy would take for the name of a parameter in a query."""

Values = tuple[Any, ...]


class SourceUnavailable(Unavailable):
    """The database of INGEST_SQL_URL does not answer the query; check the address, the account and the query."""


@dataclass(frozen=True, slots=True)
class SqlPage:
    """Some rows, each with the values of the requested columns, and the position of the last one."""

    rows: list[Values]
    last: datetime


@dataclass(frozen=True)
class SqlTable:
    """A table or a query of a user; every statement is in a read-only transaction of its own."""

    config: SqlSourceConfig
    url: SecretStr
    _engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        """Make the engine; raise InvalidInput for an address that is not MySQL's."""
        object.__setattr__(self, "_engine", _make_engine(self.url, self.config.timeout_seconds))

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    @property
    def dataset(self) -> Dataset:
        """The table as lineage names it; a query has the name of its source."""
        name = self.config.table or self.config.name
        return Dataset(f"{self._engine.url.database}.{name}", mysql_namespace(self._engine.url))

    def columns(self) -> dict[str, int]:
        """Return the columns in their order, each with the driver's number of its type."""
        statement: Select[Any] = select(literal_column("*")).select_from(self._source(())).limit(0)
        with self._result(statement) as result:
            description: Sequence[Any] = result.cursor.description if result.cursor else ()
            return {str(name): int(kind) for name, kind, *_ in description}

    def now(self) -> datetime:
        """Return the present of the server, in UTC."""
        with self._result(select(func.utc_timestamp(literal_column("6")))) as result:
            now: datetime = result.scalar_one()
            return now.replace(tzinfo=UTC)

    def has_rows_without_position(self) -> bool:
        """Return whether a row has no time in the column in the order of which rows are read."""
        source = self._source((self.config.position,))
        position = source.c[self.config.position]
        with self._result(select(position).where(position.is_(None)).limit(1)) as result:
            return result.first() is not None

    def pages(self, names: Sequence[str], start: datetime | None) -> Iterator[SqlPage]:
        """Yield the rows from `start` on in the order of their position and key, each with the columns `names`.

        `start` is a time without a zone, as the column has it. Rows that are committed meanwhile, before the place that
        was reached, are not yielded.

        Raises:
            SourceUnavailable: the server does not answer, or not in time, or finds a fault in the query.
            InvalidInput: a position is not a time.
        """
        columns = (self.config.position, *self.config.key, *names)
        source = self._source(tuple(dict.fromkeys(columns)))
        position = source.c[self.config.position]
        condition = position.is_not(None) if start is None else position >= start
        statement = select(*(source.c[name] for name in columns)).limit(self.config.batch_rows)
        statement = statement.order_by(position, *(source.c[name] for name in self.config.key))
        in_one_position = False
        while True:
            with self._result(statement.where(condition)) as result:
                rows = [tuple(row) for row in result]
            if rows:
                last = rows[-1]
                yield SqlPage(
                    [row[1 + len(self.config.key) :] for row in rows], as_instant(last[0], self.config.position)
                )
            if len(rows) == self.config.batch_rows:
                condition, in_one_position = and_(position == last[0], self._is_after(source, last)), True
            elif in_one_position:
                condition, in_one_position = position > last[0], False
            else:
                return

    def _is_after(self, source: FromClause, row: Values) -> ColumnElement[bool]:
        """Return the condition on rows whose key comes after that of a row."""
        pairs = [(source.c[name], value) for name, value in zip(self.config.key, row[1:], strict=False)]
        equal = [name == value for name, value in pairs]
        return or_(*(and_(*equal[:place], name > value) for place, (name, value) in enumerate(pairs)))

    def _source(self, names: Sequence[str]) -> FromClause:
        """Return the table, or the query as a derived table, with these columns."""
        columns: list[ColumnClause[Any]] = [column(name) for name in names]
        if self.config.query is not None:
            query = _PARAMETER.sub(r"\:", self.config.query.rstrip().rstrip(";"))
            return text(f"{query}\n").columns(*columns).subquery("source")
        schema, _, name = (self.config.table or "").rpartition(".")
        return table(name, *columns, schema=schema or None)

    @contextmanager
    def _result(self, statement: Select[Any]) -> Iterator[CursorResult[Any]]:
        """Yield the result of a statement; translate the driver's errors."""
        try:
            with self._engine.connect() as connection:
                yield connection.execute(statement)
        except DBAPIError as error:
            raise SourceUnavailable(self._message(error)) from error

    def _message(self, error: DBAPIError) -> str:
        seconds, relation = self.config.timeout_seconds, self.config.table or "the query"
        if error_code(error) in TIMED_OUT:
            order = ", ".join((self.config.position, *self.config.key))
            return (
                f"{relation} did not answer within {seconds} s; add an index on ({order}), lower batch_rows, or raise "
                "timeout_seconds."
            )
        reason = error.orig.args[-1] if error.orig and error.orig.args else error
        return f"{SourceUnavailable.default_message()} MySQL says: {reason}"


def as_instant(value: object, name: str) -> datetime:
    """Return a position as a time without a zone; a date is its midnight. `name` is the column's in messages.

    Raises:
        InvalidInput: it is neither.
    """
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    raise InvalidInput(
        f"Column {name!r} orders the rows and has the value {value!r}; use a column of the type DATETIME, TIMESTAMP or "
        "DATE, or make one in a query, such as FROM_UNIXTIME(seconds)."
    )


def _make_engine(url: SecretStr, timeout_seconds: int) -> Engine:
    """Make an engine of which each session is read-only and in UTC, and ends queries that take too long."""
    try:
        address = make_url(url.get_secret_value())
    except ArgumentError:
        address = None
    if address is None or address.drivername not in DRIVERS or not address.database:
        raise InvalidInput(
            "INGEST_SQL_URL is not the address of a schema of MySQL; use mysql://USER:PASSWORD@HOST:3306/SCHEMA."
        )
    tls = _tls_context(address)
    engine = create_engine(
        address.difference_update_query(TLS_OPTIONS)
        .set(drivername="mysql+pymysql")
        .update_query_dict({"charset": "utf8mb4"}),
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_size=1,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": timeout_seconds + SOCKET_SECONDS,
            **({"ssl": tls} if tls else {}),
        },
    )

    def prepare_session(connection: Any, _: object) -> None:
        is_mariadb = "MariaDB" in connection.get_server_info()
        limit = (
            f"max_statement_time = {timeout_seconds}"
            if is_mariadb
            else f"max_execution_time = {1_000 * timeout_seconds}"
        )
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION TRANSACTION READ ONLY")
            cursor.execute(f"SET SESSION time_zone = '+00:00', {limit}")

    event.listen(engine, "connect", prepare_session)
    return engine


def _tls_context(address: URL) -> ssl.SSLContext | None:
    """Return what the address requires of the server's certificate, or None where it names no CA.

    Raises:
        InvalidInput: the CA, certificate or key cannot be used.
    """
    authority, certificate, key = (address.query.get(option) for option in TLS_OPTIONS)
    if authority is None:
        return None
    if certificate is None or key is None:
        return client_context(Path(str(authority)))
    return client_context(Path(str(authority)), Path(str(certificate)), Path(str(key)))
