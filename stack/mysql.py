"""MySQL 8.0.15: the second server of the tests, so that nothing only works on MariaDB."""

from pathlib import Path

from stack import paths
from stack.sqlserver import SqlServer

LIBAIO = paths.BUILD / "libaio"
"""Holds libaio.so.1 where the system does not; made by `make setup`."""


def _initialise(home: Path, data: Path) -> tuple[str, ...]:
    return (*_base(home, data), "--initialize-insecure")


def _serve(home: Path, data: Path, port: int) -> tuple[str, ...]:
    return (
        *_base(home, data),
        f"--port={port}",
        "--bind-address=127.0.0.1",
        "--socket=server.sock",
        "--pid-file=server.pid",
        "--skip-mysqlx",
        "--secure-file-priv=NULL",
        "--local-infile=1",
        "--max-allowed-packet=64M",
    )


def _base(home: Path, data: Path) -> tuple[str, ...]:
    return (
        str(home / "bin" / "mysqld"),
        "--no-defaults",
        f"--basedir={home}",
        f"--datadir={data}",
        f"--lc-messages-dir={home / 'share'}",
    )


MYSQL = SqlServer(
    name="MySQL",
    version="8.0.15",
    home=paths.BUILD / "mysql",
    initialise_command=_initialise,
    serve_command=_serve,
    environment={"LD_LIBRARY_PATH": str(LIBAIO)},
)
