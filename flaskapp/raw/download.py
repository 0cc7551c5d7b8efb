"""Downloads raw data into a folder as `RawData.csv` or `RawData.csv.gz`: complete and checked, or not at all.

The unfinished file and the state of the download are in the folder `.download` next to it, so a run that was killed is
resumed by the next one. A file is replaced only by a complete, checked one, and only if it was downloaded itself.
"""

import base64
import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import google_crc32c

from driftline.errors import Conflict, InvalidInput
from flaskapp.progress import Progress
from flaskapp.raw import state as stored_state
from flaskapp.raw.check import check_file
from flaskapp.raw.file import BLOCK, NAMES
from flaskapp.raw.resumed import Pause, complete, retry, translated_os_errors
from flaskapp.raw.source import Damaged, ObjectSource, ObjectVersion, Replaced
from flaskapp.raw.state import DownloadState, Fetched

PLAIN, GZIPPED = NAMES
UNFINISHED = ".download"
GZIP_MAGIC = b"\x1f\x8b"
ATTEMPTS = 3
"""How often the download is tried if the object is replaced while it is read."""

Bar = Callable[[str, int], AbstractContextManager[Progress]]
"""Shows a progress bar with a title and a number of bytes."""


@dataclass(frozen=True, slots=True)
class Downloaded:
    """The file, what was fetched, and whether this run downloaded it."""

    path: Path
    fetched: Fetched
    new: bool


def download(source: ObjectSource, folder: Path, newest: datetime, bar: Bar, pause: Pause) -> Downloaded:
    """Download the object's present version into the folder, unless it is there already.

    `newest` is the latest valid stamp. Before the file is put in place, its bytes are compared with the store's
    checksum and its lines checked by `flaskapp.raw.rules`.

    Raises:
        NoSuchObject, NoAccess, ObjectUnavailable, NoSpace, Unusable: as documented there. Damaged: wrong checksum.
        InvalidInput: the data cannot be loaded. Conflict: the folder has a file that was not downloaded, another
        download is running, or the object is replaced repeatedly.
    """
    unfinished = folder / UNFINISHED
    with translated_os_errors(unfinished), _exclusive_lock(unfinished):
        for _ in range(ATTEMPTS - 1):
            try:
                return _download(source, folder, newest, bar, pause)
            except Replaced:
                continue
        return _download(source, folder, newest, bar, pause)


@contextmanager
def _exclusive_lock(folder: Path) -> Iterator[None]:
    """Lock the folder against other downloads while the context lasts."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(f"Another download into {folder.parent} is running; wait until it ends.") from error
        yield


def _download(source: ObjectSource, folder: Path, newest: datetime, bar: Bar, pause: Pause) -> Downloaded:
    """Download and check the current version, unless the folder has it already, and move it into place."""
    state = stored_state.load(folder / UNFINISHED)
    version = retry(source.current_version, "The object", pause)
    target = GZIPPED if version.gzipped else PLAIN
    present = {path.name: checksum(path) for path in (folder / name for name in NAMES) if path.exists()}
    existing = _existing(target, present.get(target), state, version)
    if existing:
        stored_state.save(folder / UNFINISHED, replace(state, in_place=existing))
        return Downloaded(folder / target, existing, new=False)
    _require_replaceable(folder, present, state, version)
    if not version.size:
        raise InvalidInput(f"{version.source} is empty; upload the raw data again.")
    file = _unfinished_file(folder / UNFINISHED, target, state, version)
    with bar(f"Downloading {version.source}", version.size) as progress:
        complete(source, version, file, progress, pause)
    fetched = Fetched(version, target, _verified_checksum(file, version))
    with bar("Checking its lines", 2 * version.size) as progress:
        _check_lines(file, version, newest, progress)
    _place(file, folder, state, fetched)
    return Downloaded(folder / target, fetched, new=True)


def _unfinished_file(unfinished: Path, name: str, state: DownloadState, version: ObjectVersion) -> Path:
    """Return the unfinished file of this version; those of other versions are deleted first."""
    file = unfinished / name
    if state.coming != version or (file.exists() and file.stat().st_size > version.size):
        for outdated in NAMES:
            (unfinished / outdated).unlink(missing_ok=True)
        stored_state.save(unfinished, replace(state, coming=version, placing=None))
    return file


def _require_replaceable(
    folder: Path, present: Mapping[str, str], state: DownloadState, version: ObjectVersion
) -> None:
    """Reject files that were not downloaded, unless they have the content that is to be downloaded."""
    replaceable = {*state.downloaded, version.crc32c}
    for name, crc32c in present.items():
        if crc32c not in replaceable:
            raise Conflict(
                f"{folder / name} was not downloaded, or was changed since; move it away and run the command again."
            )


def _verified_checksum(file: Path, version: ObjectVersion) -> str:
    """Return the file's checksum; delete the file and raise Damaged if it differs from the store's."""
    crc32c = checksum(file)
    if (version.crc32c or crc32c) != crc32c or file.stat().st_size != version.size:
        file.unlink()
        raise Damaged(
            f"{version.source} came damaged (crc32c {crc32c}, not {version.crc32c}) and was deleted; run the command "
            "again."
        )
    return crc32c


def _check_lines(file: Path, version: ObjectVersion, newest: datetime, progress: Progress) -> None:
    """Check the compression and every line of a downloaded file; the error names its source."""
    with file.open("rb") as opened:
        is_gzip = opened.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    if is_gzip != version.gzipped:
        content, described = ("gzip", "plain") if is_gzip else ("not gzip", "gzipped")
        raise InvalidInput(
            f"{version.source} is {content}, but its name and type say {described}; upload it under a matching name."
        )
    try:
        check_file(file, newest, progress)
    except InvalidInput as error:
        raise error.reworded(
            f"{version.source} cannot be used, and the previous file stays: {error.message} Upload it again."
        ) from error


def _place(file: Path, folder: Path, state: DownloadState, fetched: Fetched) -> None:
    """Move the complete file into place, and delete the one of the other format, which would be read instead."""
    unfinished = folder / UNFINISHED
    stored_state.save(unfinished, replace(state, coming=fetched.version, placing=fetched.crc32c))
    _sync(file)
    file.replace(folder / fetched.name)
    for outdated in set(NAMES) - {fetched.name}:
        (folder / outdated).unlink(missing_ok=True)
    _sync(folder)
    stored_state.save(unfinished, DownloadState(in_place=fetched))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _existing(name: str, crc32c: str | None, state: DownloadState, version: ObjectVersion) -> Fetched | None:
    """Return what is in place if its checksum shows that it is this version, else None."""
    expected = state.in_place.crc32c if state.in_place and state.in_place.version == version else version.crc32c
    return Fetched(version, name, crc32c) if crc32c and crc32c == expected else None


def checksum(path: Path) -> str:
    """Return the crc32c of a file in base64, as Cloud Storage does."""
    digest = google_crc32c.Checksum()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return base64.b64encode(digest.digest()).decode()
