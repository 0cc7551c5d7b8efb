"""The images, built once, and where their containers meet: a database, a broker, secrets, a volume.

`make test-images` runs these tests; neither `make test` nor `.ci/run` does, since a first build takes minutes.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from devtools.packaging.images import EXAMPLES, IMAGES, Builder, Image, reason_missing
from devtools.packaging.runc_container import RuncContainer
from driftline.clock import utc_now
from driftline.http.health import is_ready
from stack import paths
from stack.containers import secrets as container_secrets
from stack.testing.temporary_servers import TemporaryBroker, TemporaryDatabase, TemporaryProcess
from tests.images import composed
from tests.integration.deploy.test_compose import Model, resolved

BEGAN = pytest.StashKey[float]()
FIGURES = paths.BUILD / "images" / "figures.txt"
CANARY = "driftline-canary-that-belongs-into-no-image"


@pytest.fixture(scope="session")
def images() -> Iterator[dict[str, Image]]:
    """Build every image, with a secret lying where one would lie."""
    reason = reason_missing()
    if reason:
        pytest.skip(reason)
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text("")
    Builder().release()
    try:
        yield _built_beside_a_secret()
    finally:
        Builder().release()


def _built_beside_a_secret() -> dict[str, Image]:
    canary = container_secrets.FOLDER / f"canary-{os.getpid()}.token"
    canary.write_text(CANARY)
    try:
        return {name: _reported(name) for name in (*IMAGES, *EXAMPLES)}
    finally:
        canary.unlink()


def _reported(name: str) -> Image:
    began = time.monotonic()
    image = Builder().build(name)
    tell(f"{name}: built in {time.monotonic() - began:.1f} s, {image.size / 1e6:.0f} MB with its stand-in base")
    return image


def tell(line: str) -> None:
    """Note a figure; `pytest_terminal_summary` prints them all at the end."""
    with FIGURES.open("a") as figures:
        figures.write(f"{line}\n")


def pytest_configure(config: pytest.Config) -> None:
    """Note when this session began."""
    config.stash[BEGAN] = time.time()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how large the images are and how long they took, where this session built them."""
    if FIGURES.exists() and FIGURES.stat().st_mtime > terminalreporter.config.stash[BEGAN]:
        terminalreporter.section("images")
        terminalreporter.write(FIGURES.read_text())


@dataclass(frozen=True)
class ImageServers:
    """What the containers of a test share: a folder, in it the secrets and the volume, and where the servers are."""

    folder: Path
    database: TemporaryDatabase
    bootstrap_servers: str
    images: dict[str, Image]
    model: Model

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets"

    @property
    def volume(self) -> Path:
        return self.folder / "volume"

    def contained(self, name: str, **changed: str) -> RuncContainer:
        """Describe a container of a service of the compose file, with the servers that are here."""
        service = self.model["services"][name]
        addresses = {
            "DB_HOST": "127.0.0.1",
            "DB_PORT": str(self.database.port),
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers,
        }
        image = self.images[service["image"].removeprefix("driftline/").partition(":")[0]]
        folder = self.folder / f"{name}-{len([*self.folder.iterdir()])}"
        return composed.described(
            service, self.model["secrets"], folder, image, addresses | changed, self.secrets, self.volume
        )

    def step(self, name: str) -> "subprocess.CompletedProcess[str]":
        """Run a one-off step of the compose file to its end."""
        service = self.model["services"][name]
        return self.contained(name).run(*(service.get("command") or ()), entrypoint=service.get("entrypoint"))


@contextmanager
def running(container: RuncContainer, port: int) -> Iterator[None]:
    """Run the container of a service that listens on a port, while the context lasts."""
    log = container.folder.with_suffix(".log")
    process = TemporaryProcess(container.image.name, container.command(), log, lambda: is_ready(port))
    process.start()
    try:
        yield
    finally:
        process.kill()


@pytest.fixture(scope="session")
def world(
    images: dict[str, Image],
    tmp_path_factory: pytest.TempPathFactory,
    mariadb_session: TemporaryDatabase,
    kafka_session: TemporaryBroker,
) -> ImageServers:
    folder = tmp_path_factory.mktemp("world")
    servers = ImageServers(folder, mariadb_session, kafka_session.bootstrap_servers, images, resolved(paths.ROOT))
    servers.secrets.mkdir(mode=0o700)
    (servers.secrets / "root.password").write_text(mariadb_session.password)
    container_secrets.make(servers.secrets, utc_now())
    servers.volume.mkdir()
    os.chown(servers.volume, *images["deploy"].user)  # as an engine does with a new volume
    return servers
