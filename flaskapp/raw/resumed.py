"""Downloads one version of an object into a file, and resumes at the file's end after an interruption."""

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flaskapp.progress import Progress
from flaskapp.raw.source import Interrupted, NoSpace, ObjectSource, ObjectUnavailable, ObjectVersion, T, Unusable

ATTEMPTS = 5
"""How many requests in a row may fail without progress."""
FIRST_PAUSE = 0.5
"""Seconds of the pause after the first failure, doubled after each further one."""
GIGABYTE = 1e9

Pause = Callable[[float], object]


def complete(source: ObjectSource, version: ObjectVersion, file: Path, progress: Progress, pause: Pause) -> None:
    """Fill `file` up to the version's size; the bytes that it already has count as progress.

    Raises:
        ObjectUnavailable: several requests in a row failed without progress. NoSpace: the disk is or would be full.
        Replaced, NoAccess: see `ObjectSource`.
    """
    file.touch()
    require_space(file.parent, version.size - _size(file))
    progress(_size(file))
    failures = 0
    while (size := _size(file)) < version.size:
        try:
            _append(source, version, file, progress)
        except Interrupted as error:
            failures = 1 if _size(file) > size else failures + 1
            give_up_or_pause(version.source, failures, error, pause)


def _append(source: ObjectSource, version: ObjectVersion, file: Path, progress: Progress) -> None:
    """Make one request for the missing bytes."""
    start = _size(file)

    def take(content: bytes) -> None:
        target.write(content)
        progress(len(content))

    with translated_os_errors(file), file.open("ab") as target:
        source.read(version, start, take)
    if _size(file) < version.size:
        raise Interrupted(f"the answer ended after {_size(file) - start:,} bytes")


def retry(request: Callable[[], T], source: str, pause: Pause) -> T:
    """Return the result of a request, which is repeated after an interruption.

    Raises:
        ObjectUnavailable: the request failed several times in a row.
    """
    failures = 0
    while True:
        try:
            return request()
        except Interrupted as error:
            failures += 1
            give_up_or_pause(source, failures, error, pause)


def give_up_or_pause(source: str, failures: int, error: Interrupted, pause: Pause) -> None:
    """Pause after a failure, longer after each in a row; raise ObjectUnavailable after the last one."""
    if failures >= ATTEMPTS:
        raise ObjectUnavailable(
            f"{source} could not be read {ATTEMPTS} times in a row ({error}); check the network and run the command "
            "again: it resumes where it stopped."
        ) from error
    pause(FIRST_PAUSE * 2 ** (failures - 1))


def require_space(folder: Path, required: int) -> None:
    """Raise NoSpace if the disk has less free space than needed."""
    free = shutil.disk_usage(folder).free
    if required > free:
        raise NoSpace(
            f"{required / GIGABYTE:.2f} GB are needed and {folder} has {free / GIGABYTE:.2f} GB free; free some space "
            "and run the command again: it resumes where it stopped."
        )


@contextmanager
def translated_os_errors(file: Path) -> Iterator[None]:
    """Translate errors of the file system: NoSpace for a full disk, Unusable for any other."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise Unusable(
                f"{error.filename or file} cannot be used ({error.strerror}); check its permissions, and whether "
                "another file has its name."
            ) from error
        raise NoSpace(
            f"The disk is full ({file.parent}); free some space and run the command again: it resumes where it stopped."
        ) from error


def _size(file: Path) -> int:
    return file.stat().st_size
