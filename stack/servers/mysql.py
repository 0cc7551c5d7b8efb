"""MySQL 8.0.15: the second server of the tests, so that nothing works on MariaDB only."""

from pathlib import Path

from stack import paths
from stack.servers.sqlserver import SqlServer, home_of

LIBAIO = paths.BUILD / "libaio"
"""Contains libaio.so.1 if the system does not; created by `make setup`."""


def _initialize(program: Path, data: Path) -> tuple[str, ...]:
    return (*_base(program, data), "--initialize-insecure")


def _serve(program: Path, data: Path, port: int) -> tuple[str, ...]:
    """Return the command that serves a data folder on a loopback port."""
    return (
        *_base(program, data),
        f"--port={port}",
        "--bind-address=127.0.0.1",
        "--socket=server.sock",
        "--pid-file=server.pid",
        "--skip-mysqlx",
        "--secure-file-priv=NULL",
        "--local-infile=1",
        "--max-allowed-packet=64M",
    )


def _base(program: Path, data: Path) -> tuple[str, ...]:
    home = home_of(program)
    unpacked = (home / "share" / "english").exists()  # an installed server knows where its messages are
    messages = (f"--lc-messages-dir={home / 'share'}",) if unpacked else ()
    return (str(program), "--no-defaults", f"--basedir={home}", f"--datadir={data}", *messages)


MYSQL = SqlServer(
    name="MySQL",
    version="8.0.15",
    program=paths.BUILD / "mysql" / "bin" / "mysqld",
    initialize_command=_initialize,
    serve_command=_serve,
    environment={"LD_LIBRARY_PATH": str(LIBAIO)},
)
