"""Migrated schemas, which one test after another uses: emptying one takes a tenth of the time of creating one.

A schema serves again if the test only wrote rows and created tables. It is dropped if the test altered it, or left a
connection open: a thread or a process of that test could still write.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

from pymysql.cursors import Cursor
from sqlalchemy import Engine

from driftline.settings import DatabaseSettings
from driftline.store.connection import Connection
from driftline.store.database import make_engine
from stack.testing.fixtures import DatabaseAddress, create_schema, drop_schema
from stack.testing.temporary_servers import TemporaryDatabase

Upgrade = Callable[[Engine], None]
Rows = tuple[tuple[object, ...], ...]

CLOSING_SECONDS = 2.0
"""How long a server may take to notice that a connection was closed."""
WITHOUT_EFFECT = ("create_table", "_db", "_user", "_role")
"""Statements that leave a schema as it is; the tables that a test added are dropped."""
ALTERED = "SHOW GLOBAL STATUS WHERE Variable_name RLIKE '^Com_(create|alter|drop|rename)_'"
CONNECTIONS = "SELECT COUNT(*) FROM information_schema.processlist WHERE db IN (%s, %s)"
TABLES = """SELECT CONCAT(table_schema, '.', table_name) FROM information_schema.tables
WHERE table_schema IN (%s, %s) AND table_type = 'BASE TABLE'"""
NUMBERED = """SELECT CONCAT(table_schema, '.', table_name) FROM information_schema.columns
WHERE table_schema IN (%s, %s) AND extra LIKE '%%auto_increment%%'"""


@dataclass(frozen=True)
class TemporarySchema:
    """A migrated schema: its tables, those of them that number their rows, and the rows that the migrations wrote."""

    address: DatabaseAddress
    tables: frozenset[str]
    numbered: frozenset[str]
    rows: dict[str, Rows]


@dataclass
class Schemas:
    """The migrated schemas of a server that no test uses now, by how they were migrated."""

    server: TemporaryDatabase
    _unused: dict[Upgrade, list[TemporarySchema]] = field(default_factory=dict)

    @cached_property
    def _administrator(self) -> Connection:
        """A connection that stays open: MySQL counts the statements of one that is being closed twice for a moment."""
        return self.server.administrator()

    @contextmanager
    def migrated(self, upgrade: Upgrade) -> Iterator[DatabaseAddress]:
        """Lend a schema that is as `upgrade` makes it."""
        unused = self._unused.setdefault(upgrade, [])
        schema = unused.pop() if unused else _create(self.server, upgrade)
        with self._administrator.cursor() as cursor:
            _is_left(cursor, schema.address)
            before = _statements(cursor)
        yield schema.address
        with self._administrator.cursor() as cursor:
            if usable := _is_left(cursor, schema.address) and _statements(cursor) == before:
                _empty(cursor, schema)
        if usable:
            unused.append(schema)
        else:
            drop_schema(self.server, schema.address)

    def drop(self) -> None:
        """Drop all of them: a server that the environment names keeps running."""
        for unused in self._unused.values():
            for schema in unused:
                drop_schema(self.server, schema.address)
        self._administrator.close()


def _create(server: TemporaryDatabase, upgrade: Upgrade) -> TemporarySchema:
    address = create_schema(server)
    engine = make_engine(DatabaseSettings.model_validate(address.settings()))
    upgrade(engine)
    engine.dispose()
    with server.administrator() as administrator, administrator.cursor() as cursor:
        tables, numbered = (_named(cursor, query, address) for query in (TABLES, NUMBERED))
        return TemporarySchema(
            address, tables, numbered, {name: _rows(cursor, name) for name in _filled(cursor, tables)}
        )


def _statements(cursor: Cursor) -> dict[str, str]:
    """Return how many statements of each kind have altered schemas of the server."""
    cursor.execute(ALTERED)
    return {kind: count for kind, count in cursor.fetchall() if not kind.endswith(WITHOUT_EFFECT)}


def _is_left(cursor: Cursor, address: DatabaseAddress) -> bool:
    """Return whether no connection to the schema is open."""
    deadline = time.monotonic() + CLOSING_SECONDS
    while _connections(cursor, address):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _connections(cursor: Cursor, address: DatabaseAddress) -> int:
    cursor.execute(CONNECTIONS, _names(address))
    return int(cursor.fetchall()[0][0])


def _empty(cursor: Cursor, schema: TemporarySchema) -> None:
    """Drop the tables that a test added, and give the others the rows of the migrations."""
    cursor.execute("SET foreign_key_checks = 0")
    for name in _named(cursor, TABLES, schema.address) - schema.tables:
        cursor.execute(f"DROP TABLE {name}")
    for name in _filled(cursor, schema.tables):
        if name not in schema.rows or _rows(cursor, name) != schema.rows[name]:
            _restore(cursor, name, schema)


def _restore(cursor: Cursor, table: str, schema: TemporarySchema) -> None:
    """Give a table the rows of the migrations, and let it number from 1 again."""
    cursor.execute(f"DELETE FROM {table}")  # noqa: S608  # the server lists these names
    if table in schema.numbered:
        cursor.execute(f"ALTER TABLE {table} AUTO_INCREMENT = 1")
    for row in schema.rows.get(table, ()):
        cursor.execute(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(row))})", row)  # noqa: S608  # the server lists these names


def _names(address: DatabaseAddress) -> tuple[str, str]:
    return address.name, f"{address.name}_truth"


def _named(cursor: Cursor, query: str, address: DatabaseAddress) -> frozenset[str]:
    """Return the tables of a schema that a query lists."""
    cursor.execute(query, _names(address))
    return frozenset(row[0] for row in cursor.fetchall())


def _filled(cursor: Cursor, tables: frozenset[str]) -> list[str]:
    """Return the tables that have rows."""
    queries = (f"(SELECT '{name}' FROM {name} LIMIT 1)" for name in tables)  # noqa: S608  # the server lists these names
    cursor.execute(" UNION ALL ".join(queries))
    return [row[0] for row in cursor.fetchall()]


def _rows(cursor: Cursor, table: str) -> Rows:
    cursor.execute(f"SELECT * FROM {table}")  # noqa: S608  # the server lists these names
    return cursor.fetchall()
