"""External servers that the environment names for the tests, instead of temporary ones; they keep running.

`TEST_MARIADB_URL`, `TEST_MYSQL_URL`  mysql://root:PASSWORD@127.0.0.1:PORT, its administrator on a loopback port
`TEST_KAFKA`                          127.0.0.1:PORT
"""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from stack.errors import StackError
from stack.testing.temporary_servers import TemporaryBroker, TemporaryDatabase, TemporaryProcess

ALLOW_LOCAL_FILES = "SET GLOBAL local_infile = 1"
"""Batches are loaded with LOAD DATA LOCAL, which MySQL refuses by default."""


def database(variable: str) -> TemporaryDatabase | None:
    """Return the database server that a variable names, prepared for batches; None if it is not set.

    Raises `StackError` if the address does not have the form above.
    """
    address = os.environ.get(variable)
    if not address:
        return None
    parts = urlsplit(address)
    if (parts.scheme, parts.username, parts.hostname) != ("mysql", "root", "127.0.0.1") or not parts.port:
        raise StackError(f"{variable} must have the form mysql://root:PASSWORD@127.0.0.1:PORT.")
    server = TemporaryDatabase(variable, parts.port, unquote(parts.password or ""), _not_started_here(variable))
    with server.administrator() as connection, connection.cursor() as cursor:
        cursor.execute(ALLOW_LOCAL_FILES)
    return server


def broker() -> TemporaryBroker | None:
    """Return the broker that `TEST_KAFKA` names; None if it is not set."""
    address = os.environ.get("TEST_KAFKA")
    return TemporaryBroker(address, _not_started_here("TEST_KAFKA")) if address else None


def settings() -> dict[str, str]:
    """Return the settings with which Driftline uses the external servers, MySQL before MariaDB; empty without any."""
    server, kafka = database("TEST_MYSQL_URL") or database("TEST_MARIADB_URL"), broker()
    account = {"DB_HOST": "127.0.0.1", "DB_PORT": str(server.port), "DB_USER": "root"} if server else {}
    secret = {"DB_PASSWORD": server.password} if server else {}
    return account | secret | ({"KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers} if kafka else {})


def _not_started_here(variable: str) -> TemporaryProcess:
    return TemporaryProcess(variable, (), Path(os.devnull), lambda: True)
