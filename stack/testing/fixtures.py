"""Real servers for tests, as pytest fixtures: throw-away, on free loopback ports, gone with their test session.

`database`           a fresh empty schema as `DatabaseAddress`; the test runs twice, on MariaDB and on MySQL
`database_settings`  the `driftline.settings.DatabaseSettings` of `database`
`mariadb`, `mysql`   a fresh empty schema on the one server (skips aloud where MySQL cannot run)
`kafka`              "host:port" of the broker of this test session
`fresh_topic`        `fresh_topic(partitions=1, **configuration) -> name`

Each test process (pytest -n 2) has its own servers, on free ports and in folders of pytest; a server ends with the
process that started it. `stack.testing.external_servers` documents how to use servers that already run.

A test that kills servers starts its own with `mariadb_server(folder)`, `mysql_server` or `kafka_broker` of
`stack.testing.temporary_servers`.
"""

import itertools
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from driftline.settings import DatabaseSettings
from stack.errors import StartFailed
from stack.servers.readiness import POLL_SECONDS
from stack.setup.debian import libaio
from stack.testing import external_servers
from stack.testing.temporary_servers import (
    TemporaryBroker,
    TemporaryDatabase,
    kafka_broker,
    mariadb_server,
    mysql_server,
)

TOPIC_SECONDS = 30.0
_numbers = itertools.count(1)


@dataclass(frozen=True)
class DatabaseAddress:
    """The schema of one test: the fields of `DatabaseSettings`."""

    host: str
    port: int
    user: str
    password: str
    name: str

    def settings(self) -> dict[str, str | int]:
        """The keyword arguments of `DatabaseSettings`."""
        return asdict(self)

    def environment(self) -> dict[str, str]:
        """The DB_* variables of a process that uses this schema."""
        return {f"DB_{key.upper()}": str(value) for key, value in asdict(self).items()}


FreshTopic = Callable[..., str]


@pytest.fixture(scope="session")
def mariadb_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporaryDatabase]:
    """The MariaDB server of this test session."""
    server = external_servers.database("TEST_MARIADB_URL")
    with nullcontext(server) if server else mariadb_server(tmp_path_factory.mktemp("mariadb")) as server_in_use:
        yield server_in_use


@pytest.fixture(scope="session")
def mysql_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporaryDatabase]:
    """The MySQL server of this test session."""
    server = external_servers.database("TEST_MYSQL_URL")
    reason = None if server else libaio.reason_missing()
    if reason:
        pytest.skip(reason)
    with nullcontext(server) if server else mysql_server(tmp_path_factory.mktemp("mysql")) as server_in_use:
        yield server_in_use


@pytest.fixture(scope="session")
def kafka_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporaryBroker]:
    """The broker of this test session."""
    broker = external_servers.broker()
    with nullcontext(broker) if broker else kafka_broker(tmp_path_factory.mktemp("kafka")) as server_in_use:
        yield server_in_use


@pytest.fixture(scope="session")
def kafka_administrator(kafka_session: TemporaryBroker) -> AdminClient:
    """One client for all topics: dropped while an answer is on its way, a client takes the answer with it."""
    return AdminClient({"bootstrap.servers": kafka_session.bootstrap_servers, "log_level": 0})


@pytest.fixture
def mariadb(mariadb_session: TemporaryDatabase) -> Iterator[DatabaseAddress]:
    """A fresh empty schema on MariaDB."""
    with fresh_schema(mariadb_session) as address:
        yield address


@pytest.fixture
def mysql(mysql_session: TemporaryDatabase) -> Iterator[DatabaseAddress]:
    """A fresh empty schema on MySQL."""
    with fresh_schema(mysql_session) as address:
        yield address


@pytest.fixture(params=["mariadb", "mysql"])
def database(request: pytest.FixtureRequest) -> DatabaseAddress:
    """A fresh empty schema, on each of the two servers in turn."""
    address = request.getfixturevalue(request.param)
    assert isinstance(address, DatabaseAddress)  # noqa: S101  # getfixturevalue is untyped
    return address


@pytest.fixture
def database_settings(database: DatabaseAddress) -> DatabaseSettings:
    """The settings of `database`."""
    return DatabaseSettings.model_validate(database.settings())


@pytest.fixture
def kafka(kafka_session: TemporaryBroker) -> str:
    """The bootstrap servers of a real broker."""
    return kafka_session.bootstrap_servers


@pytest.fixture
def fresh_topic(kafka_administrator: AdminClient) -> FreshTopic:
    """A function that creates a topic with a unique name; its configuration as keywords (underscores for dots)."""
    return lambda partitions=1, **configuration: _create_topic(kafka_administrator, partitions, configuration)


def _create_topic(client: AdminClient, partitions: int, configuration: dict[str, str]) -> str:
    name = f"test-{_unique()}"
    config = {key.replace("_", "."): value for key, value in configuration.items()}
    client.create_topics([NewTopic(name, partitions, config=config)])[name].result(TOPIC_SECONDS)
    _await_leaders(client, name, partitions)
    return name


def _unique() -> str:
    """Return a suffix that no other test process has used on the server."""
    return f"{os.getpid()}_{time.time_ns()}_{next(_numbers)}"


def _await_leaders(client: AdminClient, topic: str, partitions: int) -> None:
    """Wait until the broker shows the topic to clients: the controller made it a moment earlier."""
    deadline = time.monotonic() + TOPIC_SECONDS
    while not _is_led(client, topic, partitions):
        if time.monotonic() > deadline:
            raise StartFailed(f"Kafka did not show topic {topic} within {TOPIC_SECONDS:.0f} s.")
        time.sleep(POLL_SECONDS)


def _is_led(client: AdminClient, topic: str, partitions: int) -> bool:
    visible = client.list_topics(topic, timeout=TOPIC_SECONDS).topics[topic].partitions
    return len(visible) == partitions and all(partition.leader >= 0 for partition in visible.values())


def create_schema(server: TemporaryDatabase) -> DatabaseAddress:
    """Create an empty schema with a unique name."""
    name = f"test_{_unique()}"
    _administer(server, f"CREATE DATABASE {name}")
    return DatabaseAddress("127.0.0.1", server.port, "root", server.password, name)


def drop_schema(server: TemporaryDatabase, address: DatabaseAddress) -> None:
    """Drop a schema, and its truth schema if there is one."""
    _administer(server, *(f"DROP DATABASE IF EXISTS {name}" for name in (address.name, f"{address.name}_truth")))


@contextmanager
def fresh_schema(server: TemporaryDatabase) -> Iterator[DatabaseAddress]:
    """Create an empty schema on a server, and drop it afterwards."""
    address = create_schema(server)
    yield address
    drop_schema(server, address)


def _administer(server: TemporaryDatabase, *statements: str) -> None:
    with server.administrator() as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
