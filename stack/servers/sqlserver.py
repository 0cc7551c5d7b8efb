"""What MariaDB and MySQL have in common for the stack: a first initialisation and a command line to serve."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from stack.errors import NotSetUp, StartFailed

FAST = (
    "--innodb-flush-log-at-trx-commit=2",
    "--sync-binlog=0",
    "--innodb-doublewrite=0",
    "--performance-schema=OFF",
    "--innodb-buffer-pool-size=64M",
)
"""Flags for throw-away servers only: what is committed survives a kill, not a power cut."""


class InitializeCommand(Protocol):
    """Builds the command that fills an empty data folder."""

    def __call__(self, program: Path, data: Path) -> tuple[str, ...]:
        """Give the command line for the server whose program is `HOME/bin/NAME` or `HOME/sbin/NAME`."""


class ServeCommand(Protocol):
    """Builds the command that serves a data folder on a loopback port."""

    def __call__(self, program: Path, data: Path, port: int) -> tuple[str, ...]:
        """Give the command line for the server whose program is `HOME/bin/NAME` or `HOME/sbin/NAME`."""


@dataclass(frozen=True)
class SqlServer:
    """One server: its kind's name, its version and program, how it is initialised and served.

    `advice` is what to do if it cannot be initialised.
    """

    name: str
    version: str
    program: Path
    initialize_command: InitializeCommand
    serve_command: ServeCommand
    environment: Mapping[str, str] = field(default_factory=dict)
    advice: str = ""

    @property
    def home(self) -> Path:
        """Where it is unpacked or installed."""
        return home_of(self.program)

    def serve(self, data: Path, port: int) -> tuple[str, ...]:
        """The command line that serves `data` on 127.0.0.1:`port`.

        Temporary tables are in the data folder: a server that starts removes all that it finds in its folder for them,
        and in /tmp those of its neighbours too.
        """
        return (*self.serve_command(self.program, data, port), f"--tmpdir={data}", *as_root())


def home_of(program: Path) -> Path:
    """The folder above bin/ or sbin/."""
    return program.parent.parent


def as_root() -> tuple[str, ...]:
    """Both servers refuse to run as root unless told so; the data folder then stays root's, wherever it is."""
    return ("--user=root",) if os.geteuid() == 0 else ()


def initialize(server: SqlServer, data: Path) -> None:
    """Make the data folder, once: in a folder beside it that is renamed when whole, so that a kill leaves nothing half.

    Raises `NotSetUp` if the server was not unpacked, `StartFailed` with what the server said.
    """
    if data.exists():
        return
    if not server.program.exists():
        raise NotSetUp(f"{server.name} is not in {server.home}; run `make setup` first.")
    staged = data.with_name(f".{data.name}.{os.getpid()}.partial")
    shutil.rmtree(staged, ignore_errors=True)
    staged.parent.mkdir(parents=True, exist_ok=True)
    _run(server, (*server.initialize_command(server.program, staged), *as_root()))
    (staged / "auto.cnf").unlink(missing_ok=True)
    _publish(staged, data)


def _publish(staged: Path, data: Path) -> None:
    try:
        staged.rename(data)
    except OSError:  # somebody else was faster
        if not data.exists():
            raise
        shutil.rmtree(staged)


def _run(server: SqlServer, command: tuple[str, ...]) -> None:
    with TemporaryDirectory() as temporary:  # its own, as in `serve`
        environment = {**os.environ, **server.environment, "TMPDIR": temporary}
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    if done.returncode:
        said = (done.stdout + done.stderr)[-2000:].strip()
        raise StartFailed(f"{server.name} could not initialize its data folder. {server.advice}\n{said}")
