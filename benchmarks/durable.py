"""A MariaDB with production settings: every commit flushed to disk, binary log on, room for the working set."""

import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from churn import migrate
from driftline.settings import DatabaseSettings
from driftline.store.database import make_engine
from stack.testing.temporary_servers import mariadb_server

PRODUCTION = (
    "--innodb-flush-log-at-trx-commit=1",
    "--sync-binlog=1",
    "--innodb-doublewrite=1",
    "--binlog-format=ROW",
    "--innodb-buffer-pool-size=1G",
    "--innodb-log-file-size=512M",
    "--innodb-stats-auto-recalc=OFF",
)
"""The last one is not for production: tables are emptied between runs, which waits for running statistics."""

FreshDatabase = Callable[[], Engine]


@contextmanager
def databases() -> Iterator[FreshDatabase]:
    """Start a MariaDB; yields a function that creates a migrated database on it. Everything is removed afterwards."""
    engines: list[Engine] = []
    numbers = itertools.count(1)
    with (
        tempfile.TemporaryDirectory(prefix="driftline-bench-") as folder,
        mariadb_server(Path(folder), PRODUCTION) as server,
    ):

        def fresh() -> Engine:
            name = f"bench_{next(numbers)}"
            with server.administrator() as connection, connection.cursor() as cursor:
                cursor.execute(f"CREATE DATABASE {name}")
                cursor.execute(f"CREATE DATABASE {name}_truth")
            engine = make_engine(
                DatabaseSettings(host="127.0.0.1", port=server.port, user="root", password=server.password, name=name)
            )
            migrate.upgrade(engine)
            engines.append(engine)
            return engine

        yield fresh
        for engine in engines:
            engine.dispose()


def settings_of(engine: Engine) -> dict[str, str]:
    """Return the settings by which a process finds the database of an engine."""
    url = engine.url
    address = {"DB_HOST": url.host, "DB_PORT": url.port, "DB_USER": url.username, "DB_NAME": url.database}
    return {name: str(value) for name, value in {**address, "DB_PASSWORD": url.password or ""}.items()}
