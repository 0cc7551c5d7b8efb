"""Servers that the environment gives to the tests in place of throw-away ones; they stay when the tests have ended.

`TEST_MARIADB_URL`, `TEST_MYSQL_URL`  mysql://root:PASSWORD@127.0.0.1:PORT, its administrator on a loopback port
`TEST_KAFKA`                          127.0.0.1:PORT
"""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from stack.errors import StackError
from stack.testing.temporary_servers import TemporaryBroker, TemporaryDatabase, TemporaryProcess

ALLOW_LOCAL_FILES = "SET GLOBAL local_infile = 1"
"""Batches are loaded by LOAD DATA LOCAL, which MySQL refuses unless told so."""


def database(variable: str) -> TemporaryDatabase | None:
    """The database server that a variable gives, made ready to take batches; None where it gives none.

    Raises `StackError` if the address is not of the form above.
    """
    address = os.environ.get(variable)
    if not address:
        return None
    parts = urlsplit(address)
    if (parts.scheme, parts.username, parts.hostname) != ("mysql", "root", "127.0.0.1") or not parts.port:
        raise StackError(f"{variable} must be of the form mysql://root:PASSWORD@127.0.0.1:PORT.")
    server = TemporaryDatabase(variable, parts.port, unquote(parts.password or ""), _nobodys(variable))
    with server.administrator() as connection, connection.cursor() as cursor:
        cursor.execute(ALLOW_LOCAL_FILES)
    return server


def broker() -> TemporaryBroker | None:
    """The broker that `TEST_KAFKA` gives; None where it gives none."""
    address = os.environ.get("TEST_KAFKA")
    return TemporaryBroker(address, _nobodys("TEST_KAFKA")) if address else None


def settings() -> dict[str, str]:
    """The variables by which the product itself uses the given servers, MySQL before MariaDB; none if none is given."""
    server, kafka = database("TEST_MYSQL_URL") or database("TEST_MARIADB_URL"), broker()
    account = {"DB_HOST": "127.0.0.1", "DB_PORT": str(server.port), "DB_USER": "root"} if server else {}
    secret = {"DB_PASSWORD": server.password} if server else {}
    return account | secret | ({"KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers} if kafka else {})


def _nobodys(variable: str) -> TemporaryProcess:
    return TemporaryProcess(variable, (), Path(os.devnull), lambda: True)
