"""The examples, each run once for all of its tests, and the environments of programs that need their own."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stack import paths
from tests.examples.runs import CLOUD, DSE, Example, run_example


@pytest.fixture(scope="session")
def titanic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """The example after its first run."""
    yield from ran("titanic", tmp_path_factory.mktemp("titanic"))


def ran(name: str, var: Path) -> Iterator[Example]:
    """Run an example, and remove its servers in the end."""
    example = Example(var, "")
    try:
        yield replace(example, output=run_example(name, var))
    finally:
        example.isolated.stack("clean")


@pytest.fixture(scope="session")
def dse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """The index example after its first run."""
    yield from ran("dse", tmp_path_factory.mktemp("dse"))


@pytest.fixture(scope="session")
def cloud_environment() -> Path:
    """The folder of programs of what is deployed to a cloud."""
    return environment("titanic-cloud", CLOUD / "requirements.txt", CLOUD / "tools.lock")


@pytest.fixture(scope="session")
def airflow_environment() -> Path:
    """The folder of programs of Airflow."""
    return environment("dse-airflow", DSE / "airflow.lock")


def environment(name: str, *locks: Path) -> Path:
    """Return the folder of programs of an environment, which is made again when one of its locks has changed."""
    folder = paths.BUILD / "examples" / name
    stamp, locked = folder / ".stamp", hashlib.sha256(b"".join(lock.read_bytes() for lock in locks)).hexdigest()
    if not stamp.exists() or stamp.read_text() != locked:
        uv = str(paths.BUILD / "uv" / "bin" / "uv")
        subprocess.run((uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)), check=True)
        sync = (uv, "pip", "sync", "--quiet", "--python", str(folder / "bin" / "python"), "--require-hashes")
        subprocess.run((*sync, *map(str, locks)), check=True)
        stamp.write_text(locked)
    return folder / "bin"
