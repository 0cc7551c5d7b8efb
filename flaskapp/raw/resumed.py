"""Brings the bytes of one version of an object into a file; cut off, it goes on from the file's end."""

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flaskapp.history.loading import Progress
from flaskapp.raw.source import Interrupted, NoSpace, Source, StoreUnavailable, T, Unusable, Version

ATTEMPTS = 5
"""So many requests in a row may bring nothing."""
FIRST_PAUSE = 0.5
"""Seconds after the first of them, doubled after each further one."""
GIGABYTE = 1e9

Pause = Callable[[float], object]


def complete(source: Source, version: Version, file: Path, progress: Progress, pause: Pause) -> None:
    """Fill `file` up to the version's size; what it holds already is told to `progress` too.

    Raises:
        StoreUnavailable: several requests in a row brought nothing. NoSpace: the disk is full, or would be.
        Replaced, NoAccess: as the source says.
    """
    file.touch()
    require_space(file.parent, version.size - _size(file))
    progress(_size(file))
    failures = 0
    while (before := _size(file)) < version.size:
        try:
            _append(source, version, file, progress)
        except Interrupted as error:
            failures = 1 if _size(file) > before else failures + 1
            give_up_or_pause(version.source, failures, error, pause)


def _append(source: Source, version: Version, file: Path, progress: Progress) -> None:
    """Make one request for what is missing."""
    start = _size(file)

    def take(content: bytes) -> None:
        target.write(content)
        progress(len(content))

    with written(file), file.open("ab") as target:
        source.read(version, start, take)
    if _size(file) < version.size:
        raise Interrupted(f"the answer ended after {_size(file) - start:,} bytes")


def patiently(ask: Callable[[], T], source: str, pause: Pause) -> T:
    """Ask until there is an answer.

    Raises:
        StoreUnavailable: there was none several times.
    """
    failures = 0
    while True:
        try:
            return ask()
        except Interrupted as error:
            failures += 1
            give_up_or_pause(source, failures, error, pause)


def give_up_or_pause(source: str, failures: int, error: Interrupted, pause: Pause) -> None:
    """Pause after a failure, longer with each in a row; after the last one give up."""
    if failures >= ATTEMPTS:
        raise StoreUnavailable(
            f"{source} could not be read, {ATTEMPTS} times in a row ({error}): check the network and run it again; "
            "it goes on where it stopped."
        ) from error
    pause(FIRST_PAUSE * 2 ** (failures - 1))


def require_space(folder: Path, needed: int) -> None:
    """Refuse to begin what the disk has no room for."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise NoSpace(
            f"{needed / GIGABYTE:.2f} GB are needed and {folder} has {free / GIGABYTE:.2f} GB free: free some and run "
            "it again; it goes on where it stopped."
        )


@contextmanager
def written(file: Path) -> Iterator[None]:
    """Turn a full disk, and a place that cannot be read or written, into errors of ours."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise Unusable(
                f"{error.filename or file} cannot be used ({error.strerror}): check who may write there, and what is "
                "in the way."
            ) from error
        raise NoSpace(
            f"The disk is full ({file.parent}): free some space and run it again; it goes on where it stopped."
        ) from error


def _size(file: Path) -> int:
    return file.stat().st_size
