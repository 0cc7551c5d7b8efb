"""A database restored from the dump that the operations page describes is the one that was dumped."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from driftline.settings import DatabaseSettings
from driftline.store import migrate
from driftline.store.database import make_engine
from driftline.store.tables import metadata
from monitoring.poll.poller import poll_once
from stack import paths
from stack.testing.fixtures import DatabaseAddress
from tests.integration.monitoring.world import NOW, make_world

PAGE = paths.ROOT / "docs" / "how-to" / "operate.md"
PROGRAMS = paths.BUILD / "mariadb" / "bin"


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    return mariadb


def _counts(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in metadata.tables.items()
        }


@pytest.mark.skipif(not (PROGRAMS / "mariadb-dump").exists(), reason="needs the programs of `make setup`")
def test_a_restored_dump_has_every_row_and_goes_on(engine: Engine, database: DatabaseAddress, tmp_path: Path) -> None:
    world = make_world(engine, tmp_path)
    world.predict(0, 150)
    world.label(0, 150)
    poll_once(engine, NOW, scheduled=False)
    options = re.findall(r"--[\w-]+", re.findall(r"`mysqldump ([^`]*)`", PAGE.read_text())[0])
    account = ("--no-defaults", f"--host={database.host}", f"--port={database.port}", f"--user={database.user}")
    environment = os.environ | {"MYSQL_PWD": database.password}
    dump = subprocess.run(
        (PROGRAMS / "mariadb-dump", *account, *options, database.name), env=environment, capture_output=True, check=True
    ).stdout
    copy = f"{database.name}_copy"
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA `{copy}`")
    subprocess.run((PROGRAMS / "mariadb", *account, copy), env=environment, input=dump, check=True)
    restored = make_engine(DatabaseSettings.model_validate(database.settings() | {"name": copy}))
    try:
        migrate.require_current(restored)
        assert _counts(restored) == _counts(engine)
        assert _counts(restored)["predictions"] == 150
        assert poll_once(restored, NOW, scheduled=False).chunks == 0
    finally:
        restored.dispose()
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DROP SCHEMA `{copy}`")
