"""Tests on servers that the environment gives: here, ones that were started for it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stack import paths
from stack.errors import StackError
from stack.testing import external_servers
from stack.testing.temporary_servers import TemporaryBroker, TemporaryDatabase

FIXTURE_TESTS = "tests/integration/stack/testing/test_fixtures.py"


@pytest.mark.skipif("TEST_MARIADB_URL" in os.environ, reason="they are used as it is, and not by these tests alone")
def test_the_fixtures_use_them_and_leave_nothing_behind(
    mariadb_session: TemporaryDatabase, kafka_session: TemporaryBroker, tmp_path: Path
) -> None:
    schemas = _schemas(mariadb_session)
    address = f"mysql://root:{mariadb_session.password}@127.0.0.1:{mariadb_session.port}"
    addresses = {
        "TEST_MARIADB_URL": address,
        "TEST_MYSQL_URL": address,
        "TEST_KAFKA": kafka_session.bootstrap_servers,
    }
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    completed = subprocess.run(
        (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'base'}",
         FIXTURE_TESTS, "-k", "schema or strict or password or messages"),
        cwd=paths.ROOT, env=alone | addresses, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert completed.returncode == 0, completed.stdout
    assert re.search(r"\b9 passed\b", completed.stdout), completed.stdout
    assert [*(tmp_path / "base").glob("*/data")] == [], "a server of its own was started"
    assert _schemas(mariadb_session) == schemas


def _schemas(server: TemporaryDatabase) -> list[str]:
    """Return the schemas of tests, those included that this process keeps for its next tests."""
    with server.administrator() as connection, connection.cursor() as cursor:
        cursor.execute("SHOW DATABASES LIKE 'test\\_%'")
        return [name for (name,) in cursor.fetchall()]


@pytest.mark.parametrize("address", ["127.0.0.1:3306", "mysql://someone:x@127.0.0.1:3306", "mysql://root:x@db:3306"])
def test_an_address_of_another_form_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_MYSQL_URL", address)
    with pytest.raises(StackError, match="TEST_MYSQL_URL must have the form"):
        external_servers.database("TEST_MYSQL_URL")
