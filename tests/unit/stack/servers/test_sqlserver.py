from pathlib import Path

import pytest

from stack.servers.mariadb import MARIADB
from stack.servers.mysql import MYSQL
from stack.servers.sqlserver import SqlServer


@pytest.mark.parametrize("server", [MARIADB, MYSQL], ids=lambda server: server.name)
def test_a_server_keeps_its_temporary_tables_to_itself(server: SqlServer) -> None:
    """MariaDB removes the temporary tables that it finds at its start, whosever they are."""
    commands = [server.serve(Path(f"/data/{name}"), 3307) for name in ("one", "other")]
    folders = [{part for part in command if part.startswith("--tmpdir=")} for command in commands]
    assert folders == [{"--tmpdir=/data/one"}, {"--tmpdir=/data/other"}]
