"""Temporary object stores for tests: the protocols of Google Cloud Storage and S3, served from folders on loopback."""

import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stack.servers import ports
from stack.setup import tools
from stack.testing.temporary_servers import TemporaryProcess, start_with_retries

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class TemporaryGcs:
    """A temporary fake-gcs-server, which needs no credentials. A bucket is a folder in `buckets`."""

    port: int
    buckets: Path
    process: TemporaryProcess

    @property
    def address(self) -> str:
        """The value for STORAGE_EMULATOR_HOST."""
        return f"http://{LOOPBACK}:{self.port}"

    def environment(self) -> dict[str, str]:
        """Return the variables of a process that uses this server."""
        return {"STORAGE_EMULATOR_HOST": self.address}


@dataclass(frozen=True)
class TemporaryS3:
    """A temporary versitygw with an access key of its own. A bucket is a folder in `buckets`."""

    port: int
    buckets: Path
    access_key: str
    secret_key: str
    process: TemporaryProcess

    def environment(self) -> dict[str, str]:
        """Return the variables of a process that uses this server."""
        return {
            "AWS_ENDPOINT_URL": f"http://{LOOPBACK}:{self.port}",
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": "us-east-1",
        }


@contextmanager
def gcs_server(folder: Path) -> Iterator[TemporaryGcs]:
    """Serve the protocol of Google Cloud Storage from `folder`; possible if `tools.reason_missing(FAKE_GCS)` is None.

    The server reads the buckets when it starts; later ones must be created through the protocol.
    """
    started = start_with_retries(lambda: _start_gcs(folder))
    try:
        yield started
    finally:
        started.process.kill()


@contextmanager
def s3_server(folder: Path) -> Iterator[TemporaryS3]:
    """Serve the protocol of S3 from `folder`; possible if `tools.reason_missing(VERSITYGW)` is None."""
    started = start_with_retries(lambda: _start_s3(folder))
    try:
        yield started
    finally:
        started.process.kill()


def _start_gcs(folder: Path) -> TemporaryGcs:
    port, buckets = ports.any_free(), _created(folder / "buckets")
    command = (
        *(str(tools.path(tools.FAKE_GCS)), "-scheme", "http", "-host", LOOPBACK, "-port", str(port)),
        *("-backend", "filesystem", "-filesystem-root", str(buckets), "-public-host", f"{LOOPBACK}:{port}"),
        *("-log-level", "warn"),
    )
    process = TemporaryProcess("fake-gcs-server", command, folder / "gcs.log", lambda: listens(port))
    process.start()
    return TemporaryGcs(port, buckets, process)


def _start_s3(folder: Path) -> TemporaryS3:
    port, buckets = ports.any_free(), _created(folder / "buckets")
    access, secret = secrets.token_hex(8), secrets.token_hex(16)
    command = (str(tools.path(tools.VERSITYGW)), "--port", f"{LOOPBACK}:{port}", "--quiet", "posix", str(buckets))
    keys = {"ROOT_ACCESS_KEY": access, "ROOT_SECRET_KEY": secret}  # not as arguments, which all users see
    process = TemporaryProcess("versitygw", command, folder / "s3.log", lambda: listens(port), keys)
    process.start()
    return TemporaryS3(port, buckets, access, secret, process)


def _created(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def listens(port: int) -> bool:
    """Return whether something accepts connections on 127.0.0.1:`port`."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True
