"""A server of the user's own is named, never guessed, and refused where it does not fit."""

from pathlib import Path

import pytest

from stack.errors import PrerequisiteMissing
from stack.servers.mariadb import MARIADB
from stack.servers.named_server import named_server
from stack.services.local import MARIADB_PROCESS
from stack.services.site import Site
from stack.setup import downloads, jars

MARIADB_SAYS = "mariadbd  Ver 10.11.6-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)"
MYSQL_SAYS = "/usr/sbin/mysqld  Ver 8.0.39 for Linux on x86_64 (MySQL Community Server - GPL)"


def program(folder: Path, says: str, name: str = "mysqld", status: int = 0) -> Path:
    """Make a program that says its version, in a `sbin` folder as systems have it."""
    path = folder / "usr" / "sbin" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {status}\n")
    path.chmod(0o755)
    return path


def test_where_none_is_named_the_downloaded_one_is_started(tmp_path: Path) -> None:
    program(tmp_path, MYSQL_SAYS)
    assert named_server({"PATH": str(tmp_path / "usr" / "sbin")}) is None
    command = MARIADB_PROCESS.command(Site.at(tmp_path / "var", {}))
    assert command[0] == str(MARIADB.program)


@pytest.mark.parametrize(
    ("says", "name", "version"), [(MARIADB_SAYS, "MariaDB", "10.11"), (MYSQL_SAYS, "MySQL", "8.0")]
)
def test_a_named_one_is_started_as_what_it_is_on_data_of_its_own(
    tmp_path: Path, says: str, name: str, version: str
) -> None:
    path = program(tmp_path, says)
    site = Site.at(tmp_path / "var", {"DRIFTLINE_MYSQLD": str(path)})
    server = named_server(site.system)
    assert server is not None
    assert (server.name, server.version, server.home) == (name, version, tmp_path / "usr")
    command = MARIADB_PROCESS.command(site)
    assert command[0] == str(path)
    assert f"--datadir={site.var}/{name.lower()}-{version}" in command
    assert "--bind-address=127.0.0.1" in command
    assert not any(argument.startswith("--lc-messages-dir") for argument in command)


def test_its_libraries_are_found_by_the_server_alone(tmp_path: Path) -> None:
    environment = {"DRIFTLINE_MYSQLD": str(program(tmp_path, MYSQL_SAYS)), "LD_LIBRARY_PATH": "/opt/lib"}
    assert MARIADB_PROCESS.settings(Site.at(tmp_path, environment))["LD_LIBRARY_PATH"] == "/opt/lib"


@pytest.mark.parametrize(
    ("says", "status", "cure"),
    [
        ("mysqld  Ver 5.7.44 for Linux on x86_64", 0, "MySQL 5.7; 8.0 or newer is needed"),
        ("mysqld  Ver 10.3.39-MariaDB for Linux on x86_64", 0, "MariaDB 10.3; 10.6 or newer is needed"),
        ("PostgreSQL 16", 0, "neither mariadbd nor mysqld"),
        ("", 127, "does not run"),
    ],
)
def test_one_that_does_not_fit_is_refused(tmp_path: Path, says: str, status: int, cure: str) -> None:
    with pytest.raises(PrerequisiteMissing, match=f"DRIFTLINE_MYSQLD is .*{cure}"):
        named_server({"DRIFTLINE_MYSQLD": str(program(tmp_path, says, status=status))})


def test_one_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PrerequisiteMissing, match="cannot be run: No such file"):
        named_server({"DRIFTLINE_MYSQLD": str(tmp_path / "mysqld")})


def test_mariadb_is_not_fetched_for_those_who_have_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads.Download, "is_done", lambda _: False)
    monkeypatch.delenv("DRIFTLINE_MYSQLD", raising=False)
    assert jars.MARIADB in [download.jars for download in downloads.missing()]
    monkeypatch.setenv("DRIFTLINE_MYSQLD", str(program(tmp_path, MYSQL_SAYS)))
    assert [download.jars for download in downloads.missing()] == [jars.KAFKA, jars.SPARK, jars.MYSQL]
