"""MariaDB: used locally in place of MySQL."""

from pathlib import Path

from stack import paths
from stack.servers.sqlserver import SqlServer, home_of

INSTALLER = "mariadb-install-db"
STRICT_MODE = ",".join(
    (
        "ONLY_FULL_GROUP_BY",
        "STRICT_TRANS_TABLES",
        "NO_ZERO_IN_DATE",
        "NO_ZERO_DATE",
        "ERROR_FOR_DIVISION_BY_ZERO",
        "NO_ENGINE_SUBSTITUTION",
    )
)
BINARY_LOG = ("--log-bin=binlog", "--server-id=1", "--log-warnings=1")
"""Tests run with the binary log, as MySQL does by default, since it forbids some statements."""


def _initialize(program: Path, data: Path) -> tuple[str, ...]:
    """Return the command that fills an empty data folder; an unpacked and an installed server have it elsewhere."""
    home = home_of(program)
    unpacked, installed = home / "scripts" / INSTALLER, home / "bin" / INSTALLER
    installer = installed if installed.exists() else unpacked
    return (
        str(installer),
        "--no-defaults",
        f"--basedir={home}",
        f"--datadir={data}",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
        "--force",
    )


def _serve(program: Path, data: Path, port: int) -> tuple[str, ...]:
    """Return the command that serves a data folder on a loopback port."""
    return (
        str(program),
        "--no-defaults",
        f"--basedir={home_of(program)}",
        f"--datadir={data}",
        f"--port={port}",
        "--bind-address=127.0.0.1",
        "--socket=server.sock",  # relative to the data folder: a path of any length works
        "--pid-file=server.pid",
        "--local-infile=1",
        "--character-set-server=utf8mb4",
        "--collation-server=utf8mb4_unicode_ci",
        "--skip-ssl",  # loopback only; creating certificates would take seconds at each start
        f"--sql-mode={STRICT_MODE}",
        "--max-allowed-packet=64M",
    )


MARIADB = SqlServer(
    name="MariaDB",
    version="11.4.5",
    program=paths.BUILD / "mariadb" / "bin" / "mariadbd",
    initialize_command=_initialize,
    serve_command=_serve,
)
