"""What MariaDB and MySQL have in common: how a data folder is initialized, and how it is served."""

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
"""Flags for temporary servers only: committed data survives a kill, but not a power cut."""


class InitializeCommand(Protocol):
    """Returns the command that fills an empty data folder."""

    def __call__(self, program: Path, data: Path) -> tuple[str, ...]:
        """Return the command line for the server whose program is `HOME/bin/NAME` or `HOME/sbin/NAME`."""


class ServeCommand(Protocol):
    """Returns the command that serves a data folder on a loopback port."""

    def __call__(self, program: Path, data: Path, port: int) -> tuple[str, ...]:
        """Return the command line for the server whose program is `HOME/bin/NAME` or `HOME/sbin/NAME`."""


@dataclass(frozen=True)
class SqlServer:
    """One server: its kind, version and program, and the commands that initialize and serve it.

    `advice` is what to do if it cannot be initialized.
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
        """The folder where it is unpacked or installed."""
        return home_of(self.program)

    def serve(self, data: Path, port: int) -> tuple[str, ...]:
        """Return the command line that serves `data` on 127.0.0.1:`port`.

        Temporary tables are in the data folder: a server that starts removes all files of its temporary folder, and in
        /tmp these would include the files of other servers.
        """
        return (*self.serve_command(self.program, data, port), f"--tmpdir={data}", *as_root())


def home_of(program: Path) -> Path:
    """Return the folder above bin/ or sbin/."""
    return program.parent.parent


def as_root() -> tuple[str, ...]:
    """Return the flag without which both servers refuse to run as root; the data folder then belongs to root."""
    return ("--user=root",) if os.geteuid() == 0 else ()


def initialize(server: SqlServer, data: Path) -> None:
    """Create the data folder once: in a folder beside it that is renamed when complete, in case of an interruption.

    Raises `NotSetUp` if the server was not unpacked, `StartFailed` with the output of the server.
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
    except OSError:  # another process was faster
        if not data.exists():
            raise
        shutil.rmtree(staged)


def _run(server: SqlServer, command: tuple[str, ...]) -> None:
    with TemporaryDirectory() as temporary:  # a folder of its own, as in `serve`
        environment = {**os.environ, **server.environment, "TMPDIR": temporary}
        completed = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    if completed.returncode:
        output = (completed.stdout + completed.stderr)[-2000:].strip()
        raise StartFailed(f"{server.name} could not initialize its data folder. {server.advice}\n{output}")
