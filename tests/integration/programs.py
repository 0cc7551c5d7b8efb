"""Programs that a test runs beside it, such as servers that are not the project's."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.waiting import wait_until


@contextmanager
def running(
    command: Sequence[str],
    folder: Path,
    name: str,
    ready: str,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Run a program with its log in a folder, from when an address answers until the context ends.

    It runs in that folder and has this process's environment, if no others are given.
    """
    with (folder / f"{name}.log").open("a") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=cwd or folder, env=environment)
    try:
        wait_until(lambda: process.poll() is not None or _answers(ready))
        assert process.poll() is None, f"{name} has ended with exit status {process.poll()}"
        yield
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False
