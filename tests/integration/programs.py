"""Programs that a test runs beside it, such as servers that are not the project's."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.integration.flaskapp.observed import wait_until


@contextmanager
def running(command: Sequence[str], folder: Path, name: str, ready: str) -> Iterator[None]:
    """Run a program in a folder, with its log there, from when an address answers until the context ends."""
    with (folder / f"{name}.log").open("a") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        wait_until(lambda: _answers(ready))
        yield
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False
