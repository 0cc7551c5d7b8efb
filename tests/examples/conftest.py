"""The Titanic example, run once for all tests, and the environment of what is deployed to a cloud."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stack import paths
from tests.examples.runs import CLOUD, Example, run_titanic

LOCKS = (CLOUD / "requirements.txt", CLOUD / "tools.lock")


@pytest.fixture(scope="session")
def titanic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """The example after its first run."""
    var = tmp_path_factory.mktemp("examples")
    example = Example(var, "")
    try:
        yield replace(example, output=run_titanic(var))
    finally:
        example.isolated.stack("clean")


@pytest.fixture(scope="session")
def cloud_environment() -> Path:
    """The folder of programs of an environment with the locked packages; it is made again when a lock has changed."""
    folder = paths.BUILD / "examples" / "titanic-cloud"
    stamp, locked = folder / ".stamp", hashlib.sha256(b"".join(lock.read_bytes() for lock in LOCKS)).hexdigest()
    if not stamp.exists() or stamp.read_text() != locked:
        uv = str(paths.BUILD / "uv" / "bin" / "uv")
        subprocess.run((uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)), check=True)
        sync = (uv, "pip", "sync", "--quiet", "--python", str(folder / "bin" / "python"), "--require-hashes")
        subprocess.run((*sync, *map(str, LOCKS)), check=True)
        stamp.write_text(locked)
    return folder / "bin"
