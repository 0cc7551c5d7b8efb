"""A server of the user's own is named, never guessed, and refused where it does not fit."""

from pathlib import Path

import pytest

from stack.errors import PrerequisiteMissing
from stack.servers.mariadb import MARIADB
from stack.servers.named_server import named_server
from stack.services.local import MARIADB_PROCESS
from stack.services.site import Site
from stack.setup import downloads, jars

MARIADB_VERSION = "mariadbd  Ver 10.11.6-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)"
MYSQL_VERSION = "/usr/sbin/mysqld  Ver 8.0.39 for Linux on x86_64 (MySQL Community Server - GPL)"


def program(folder: Path, output: str, name: str = "mysqld", status: int = 0) -> Path:
    """Write a program that prints its version, in a folder `sbin` as systems have it."""
    executable = folder / "usr" / "sbin" / name
    executable.parent.mkdir(parents=True, exist_ok=True)
    executable.write_text(f"#!/bin/sh\necho '{output}'\nexit {status}\n")
    executable.chmod(0o755)
    return executable


def test_the_downloaded_server_is_the_default(tmp_path: Path) -> None:
    program(tmp_path, MYSQL_VERSION)
    assert named_server({"PATH": str(tmp_path / "usr" / "sbin")}) is None
    command = MARIADB_PROCESS.command(Site.at(tmp_path / "var", {}))
    assert command[0] == str(MARIADB.program)


@pytest.mark.parametrize(
    ("output", "name", "version"), [(MARIADB_VERSION, "MariaDB", "10.11"), (MYSQL_VERSION, "MySQL", "8.0")]
)
def test_a_named_server_has_its_own_data_folder(tmp_path: Path, output: str, name: str, version: str) -> None:
    executable = program(tmp_path, output)
    site = Site.at(tmp_path / "var", {"DRIFTLINE_MYSQLD": str(executable)})
    server = named_server(site.system)
    assert server is not None
    assert (server.name, server.version, server.home) == (name, version, tmp_path / "usr")
    command = MARIADB_PROCESS.command(site)
    assert command[0] == str(executable)
    assert f"--datadir={site.var}/{name.lower()}-{version}" in command
    assert "--bind-address=127.0.0.1" in command
    assert not any(argument.startswith("--lc-messages-dir") for argument in command)


def test_only_a_named_server_gets_the_library_path(tmp_path: Path) -> None:
    environment = {"DRIFTLINE_MYSQLD": str(program(tmp_path, MYSQL_VERSION)), "LD_LIBRARY_PATH": "/opt/lib"}
    assert MARIADB_PROCESS.settings(Site.at(tmp_path, environment))["LD_LIBRARY_PATH"] == "/opt/lib"


@pytest.mark.parametrize(
    ("output", "status", "cure"),
    [
        ("mysqld  Ver 5.7.44 for Linux on x86_64", 0, "MySQL 5.7; 8.0 or newer is needed"),
        ("mysqld  Ver 10.3.39-MariaDB for Linux on x86_64", 0, "MariaDB 10.3; 10.6 or newer is needed"),
        ("PostgreSQL 16", 0, "neither mariadbd nor mysqld"),
        ("", 127, "does not run"),
    ],
)
def test_a_named_server_of_another_version_is_rejected(tmp_path: Path, output: str, status: int, cure: str) -> None:
    with pytest.raises(PrerequisiteMissing, match=f"DRIFTLINE_MYSQLD is .*{cure}"):
        named_server({"DRIFTLINE_MYSQLD": str(program(tmp_path, output, status=status))})


def test_a_named_server_that_does_not_exist_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(PrerequisiteMissing, match="cannot be run: No such file"):
        named_server({"DRIFTLINE_MYSQLD": str(tmp_path / "mysqld")})


def test_mariadb_is_not_downloaded_if_a_server_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads.Download, "is_done", lambda _: False)
    monkeypatch.delenv("DRIFTLINE_MYSQLD", raising=False)
    assert jars.MARIADB in [download.jars for download in downloads.missing()]
    monkeypatch.setenv("DRIFTLINE_MYSQLD", str(program(tmp_path, MYSQL_VERSION)))
    assert [download.jars for download in downloads.missing()] == [jars.KAFKA, jars.SPARK, jars.MYSQL]
