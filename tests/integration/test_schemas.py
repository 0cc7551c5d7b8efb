"""A schema that serves another test is as the migrations made it; one that a test altered serves no more."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pymysql.cursors import Cursor
from sqlalchemy import Engine

from driftline.store.connection import Connection
from stack.testing.fixtures import DatabaseAddress
from tests.integration.schemas import Schemas


@pytest.fixture(params=["mariadb_session", "mysql_session"])
def schemas(request: pytest.FixtureRequest) -> Iterator[Schemas]:
    schemas = Schemas(request.getfixturevalue(request.param))
    yield schemas
    schemas.drop()


def upgrade(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE numbered (number INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(9))")
        connection.exec_driver_sql("INSERT INTO numbered (name) VALUES ('migrated')")
        connection.exec_driver_sql(f"CREATE DATABASE {engine.url.database}_truth")
        connection.exec_driver_sql("CREATE TABLE plain (name VARCHAR(9) PRIMARY KEY)")


def connect(address: DatabaseAddress) -> Connection:
    return Connection(
        host=address.host, port=address.port, user=address.user, password=address.password, database=address.name,
        autocommit=True,
    )  # fmt: skip


@contextmanager
def lent(schemas: Schemas) -> Iterator[tuple[str, Cursor]]:
    """Lend a schema: its name, and a cursor on it that is closed before it is given back."""
    with schemas.migrated(upgrade) as address, connect(address) as connection, connection.cursor() as cursor:
        yield address.name, cursor


def content(cursor: Cursor) -> list[object]:
    """Return the tables, and the rows after one has been added."""
    cursor.execute("SHOW TABLES")
    tables = cursor.fetchall()
    cursor.execute("INSERT INTO numbered (name) VALUES ('added')")
    cursor.execute("SELECT * FROM numbered")
    numbered = cursor.fetchall()
    cursor.execute("SELECT * FROM plain")
    return [tables, numbered, cursor.fetchall()]


def test_after_rows_and_new_tables_a_schema_serves_again(schemas: Schemas) -> None:
    contents, names = [], []
    for _ in range(2):
        with lent(schemas) as (name, cursor):
            names.append(name)
            contents.append(content(cursor))
            cursor.execute("UPDATE numbered SET name = 'changed'")
            cursor.execute("INSERT INTO plain VALUES ('added')")
            cursor.execute("CREATE TABLE another (number INT PRIMARY KEY)")
            cursor.execute(f"CREATE TABLE {name}_truth.another (number INT PRIMARY KEY)")
    assert contents[0] == contents[1]
    assert contents[0][1:] == [((1, "migrated"), (2, "added")), ()]
    assert names[0] == names[1]


@pytest.mark.parametrize(
    "statement",
    ["ALTER TABLE plain ADD COLUMN another INT", "DROP TABLE plain", "CREATE INDEX another ON plain (name)"],
)
def test_an_altered_schema_serves_no_more(schemas: Schemas, statement: str) -> None:
    names = []
    for _ in range(2):
        with lent(schemas) as (name, cursor):
            names.append(name)
            cursor.execute(statement)
    assert names[0] != names[1]


def test_a_schema_that_is_in_use_serves_no_other_test(schemas: Schemas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.integration.schemas.CLOSING_SECONDS", 0.1)
    with schemas.migrated(upgrade) as first:
        left_open = connect(first)
    with schemas.migrated(upgrade) as second:
        assert second.name != first.name
    left_open.close()


def test_no_altered_schema_serves_again_however_often_one_serves(schemas: Schemas) -> None:
    """A count that is wrong for a moment while a connection is closed would hide an alteration."""
    altered: set[str] = set()
    for number in range(60):
        with lent(schemas) as (name, cursor):
            assert name not in altered
            cursor.execute("INSERT INTO numbered (name) VALUES ('added')")
            if number % 2:
                cursor.execute("ALTER TABLE plain ADD COLUMN another INT")
                altered.add(name)
