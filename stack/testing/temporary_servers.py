"""Temporary servers for tests: each ends with the process that started it, and can be killed and restarted."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from driftline.settings import KafkaSettings
from driftline.store.connection import Connection
from stack import paths
from stack.errors import StartFailed
from stack.servers import class_archive, kafka, ports, root_account
from stack.servers.mariadb import BINARY_LOG, MARIADB
from stack.servers.mysql import MYSQL
from stack.servers.readiness import wait_until_ready
from stack.servers.sqlserver import FAST, SqlServer, initialize
from stack.testing import die_with_parent

READY_SECONDS = 60.0
ARCHIVE_SECONDS = 300.0
ATTEMPTS = 3
"""Another process may take a free port before the server listens on it."""

WITHOUT_TLS = ("--skip-ssl",)
"""As MariaDB is started: a handshake takes 20 ms of processor time, and tests connect some thousand times."""

T = TypeVar("T")


@dataclass
class TemporaryProcess:
    """One server process. `start` waits until it answers, `kill` sends SIGKILL, `stop` sends SIGTERM."""

    name: str
    command: tuple[str, ...]
    log: Path
    ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id; raises `StartFailed` before the first start."""
        if self._process is None:
            raise StartFailed(f"{self.name} was not started.")
        return self._process.pid

    def start(self) -> None:
        """Start the process and return when it answers; raises `StartFailed` with the last lines of the log."""
        command = (sys.executable, die_with_parent.__file__, str(os.getpid()), *self.command)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env={**os.environ, **self.environment}, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            wait_until_ready(self.name, self.ready, self._ended_within, self.log, READY_SECONDS)
        except StartFailed:
            self.kill()
            raise

    def kill(self) -> None:
        """Kill the process and wait for its end."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def stop(self, seconds: float = 30.0) -> bool:
        """Terminate the process; kill it after so many seconds. Return whether it ended without that."""
        if self._process:
            self._process.terminate()
            if not self._ended_within(seconds):
                self.kill()
                return False
        return True

    def _ended_within(self, seconds: float) -> bool:
        if self._process is None:
            return True
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True


@dataclass(frozen=True)
class TemporaryDatabase:
    """A temporary MariaDB or MySQL server on 127.0.0.1, with the password of its root."""

    name: str
    port: int
    password: str
    process: TemporaryProcess

    def administrator(self) -> Connection:
        """Connect as root; every statement is committed by itself."""
        return root_account.connect(self.port, self.password)


@dataclass(frozen=True)
class TemporaryBroker:
    """A temporary Kafka broker on 127.0.0.1: its address in plain text, and those by other protocols."""

    bootstrap_servers: str
    process: TemporaryProcess
    by_protocol: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def mariadb_server(folder: Path, flags: tuple[str, ...] = ()) -> Iterator[TemporaryDatabase]:
    """Run a new MariaDB in `folder`, as strict as MySQL; the data folder is removed afterwards.

    `flags` come last, so they override those that make temporary servers fast.
    """
    with _database(MARIADB, (*BINARY_LOG, *flags), folder) as server:
        yield server


@contextmanager
def mysql_server(folder: Path) -> Iterator[TemporaryDatabase]:
    """Run a new MySQL in `folder`; possible if `libaio.reason_missing()` is None."""
    with _database(MYSQL, WITHOUT_TLS, folder) as server:
        yield server


@contextmanager
def kafka_broker(folder: Path, listeners: Mapping[str, str] | None = None) -> Iterator[TemporaryBroker]:
    """Run a new broker in `folder`; its data is removed afterwards.

    `listeners` are additional ones: the protocol of each, and the lines of configuration that it needs.
    """
    started = start_with_retries(lambda: _start_broker(folder, listeners or {}))
    try:
        yield started
    finally:
        started.process.kill()
        shutil.rmtree(folder / "data")


def _start_broker(folder: Path, listeners: Mapping[str, str]) -> TemporaryBroker:
    """Start a broker on free ports, one for each listener, and return when it answers in plain text."""
    class_archive.make(kafka.archive(), _archive_classes)
    port, controller_port, *listener_ports = _free_ports(2 + len(listeners))
    addresses = {protocol: f"127.0.0.1:{number}" for protocol, number in zip(listeners, listener_ports, strict=True)}
    plain = kafka.Broker(folder, port, controller_port)
    broker = replace(plain, extra=_listening(plain, addresses) + "\n".join(listeners.values()) if listeners else "")
    return TemporaryBroker(broker.bootstrap_servers, _started(broker), addresses)


def _started(broker: kafka.Broker, classes: tuple[str, ...] | None = None) -> TemporaryProcess:
    """Format the folder of a broker, start it, and return when it answers in plain text."""
    kafka.prepare(broker)
    plain_text = KafkaSettings.plain(broker.bootstrap_servers)
    command = kafka.serve_command(broker, classes)
    process = TemporaryProcess("Kafka", command, broker.folder / "kafka.log", lambda: kafka.answers(plain_text))
    process.start()
    return process


def _archive_classes(classes: tuple[str, ...]) -> bool:
    """Run a broker that writes the archive of its classes when it stops; return whether it has stopped by itself."""
    port, controller_port = _free_ports(2)
    with tempfile.TemporaryDirectory() as folder:
        return _started(kafka.Broker(Path(folder), port, controller_port), classes).stop(ARCHIVE_SECONDS)


def _free_ports(count: int) -> tuple[int, ...]:
    free: tuple[int, ...] = ()
    while len(free) < count:
        free = (*free, ports.any_free(frozenset(free)))
    return free


def _listening(plain: kafka.Broker, addresses: Mapping[str, str]) -> str:
    """Return the configuration of the listeners: plain text, and the other protocols at their addresses."""
    clients = {"PLAINTEXT": plain.bootstrap_servers, **addresses}
    advertised = ",".join(f"{protocol}://{address}" for protocol, address in clients.items())
    protocols = ",".join(f"{protocol}:{protocol}" for protocol in clients)
    return (
        f"listeners={advertised},CONTROLLER://127.0.0.1:{plain.controller_port}\n"
        f"advertised.listeners={advertised}\n"
        f"listener.security.protocol.map={protocols},CONTROLLER:PLAINTEXT\n"
    )


@contextmanager
def _database(server: SqlServer, flags: tuple[str, ...], folder: Path) -> Iterator[TemporaryDatabase]:
    template = paths.TEMPLATES / f"{server.name}-{server.version}".lower()
    initialize(server, template)
    data = folder / "data"
    shutil.copytree(template, data)
    started = start_with_retries(lambda: _start_database(server, flags, data))
    try:
        yield started
    finally:
        started.process.kill()
        shutil.rmtree(data)


def start_with_retries(start: Callable[[], T]) -> T:
    """Start a server; try again, since another process may have taken its port."""
    for _ in range(ATTEMPTS - 1):
        with suppress(StartFailed):
            return start()
    return start()


def _start_database(server: SqlServer, flags: tuple[str, ...], data: Path) -> TemporaryDatabase:
    """Start a database server on a free port with a new password, and return when root can connect."""
    port, password = ports.any_free(), secrets.token_urlsafe(16)
    command = (*server.serve(data, port), *FAST, *flags)
    process = TemporaryProcess(
        server.name,
        command,
        data.with_name("server.log"),
        lambda: root_account.answers(port, password),
        server.environment,
    )
    process.start()
    return TemporaryDatabase(server.name, port, password, process)
