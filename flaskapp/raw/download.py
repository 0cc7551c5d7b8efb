"""Downloads raw data into a folder as `RawData.csv` or `RawData.csv.gz`: whole, checked, or not at all.

What is unfinished, and what is known of it, lies in the folder `.download` beside; killed at any moment, the next run
goes on. A file is replaced only by a whole one that was checked line by line, and only if it was downloaded too.
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
from flaskapp.history.loading import Progress
from flaskapp.history.raw_file import check_file
from flaskapp.raw import state as kept
from flaskapp.raw.file import BLOCK, NAMES
from flaskapp.raw.resumed import Pause, complete, patiently, written
from flaskapp.raw.source import Damaged, Replaced, Source, Version
from flaskapp.raw.state import Fetched, State

PLAIN, GZIPPED = NAMES
UNFINISHED = ".download"
MAGIC = b"\x1f\x8b"
REPLACEMENTS = 3
"""So often the object may be replaced while it is read."""

Bar = Callable[[str, int], AbstractContextManager[Progress]]
"""Shows a bar of so many bytes under a title, and takes what is done."""


@dataclass(frozen=True, slots=True)
class Downloaded:
    """The file, what it is, and whether this run brought it."""

    path: Path
    fetched: Fetched
    new: bool


def download(source: Source, folder: Path, newest: datetime, bar: Bar, pause: Pause) -> Downloaded:
    """Bring the object's present version into the folder, unless it is there.

    `newest` bounds the records' stamps. The bytes are held to the store's checksum, the lines to the rules of
    `flaskapp.raw.rules`, all before the file takes its place.

    Raises:
        NoSuchObject, NoAccess, StoreUnavailable, NoSpace, Unusable: as they say. Damaged: these are other bytes.
        InvalidInput: the data cannot be loaded. Conflict: a file is in the way that was not downloaded, another
        download is at work, or the object is replaced again and again.
    """
    unfinished = folder / UNFINISHED
    with written(unfinished), _alone(unfinished):
        for _ in range(REPLACEMENTS - 1):
            try:
                return _download(source, folder, newest, bar, pause)
            except Replaced:
                continue
        return _download(source, folder, newest, bar, pause)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(f"Another download into {folder.parent} is at work; wait for it.") from error
        yield


def _download(source: Source, folder: Path, newest: datetime, bar: Bar, pause: Pause) -> Downloaded:
    state = kept.load(folder / UNFINISHED)
    version = patiently(source.look, "The object", pause)
    name = GZIPPED if version.gzipped else PLAIN
    present = {path.name: checksum(path) for path in (folder / one for one in NAMES) if path.exists()}
    here = _here(name, present.get(name), state, version)
    if here:
        kept.save(folder / UNFINISHED, replace(state, here=here))
        return Downloaded(folder / name, here, new=False)
    _require_own(folder, present, state, version)
    if not version.size:
        raise InvalidInput(f"{version.source} is empty; upload the raw data anew.")
    file = _begin(folder / UNFINISHED, name, state, version)
    with bar(f"Downloading {version.source}", version.size) as progress:
        complete(source, version, file, progress, pause)
    fetched = Fetched(version, name, _checked(file, version))
    with bar("Checking its lines", 2 * version.size) as progress:
        _check_lines(file, version, newest, progress)
    _place(file, folder, state, fetched)
    return Downloaded(folder / name, fetched, new=True)


def _begin(unfinished: Path, name: str, state: State, version: Version) -> Path:
    """Find the unfinished file of this version, or begin one."""
    file = unfinished / name
    if state.coming != version or (file.exists() and file.stat().st_size > version.size):
        for left in NAMES:
            (unfinished / left).unlink(missing_ok=True)
        kept.save(unfinished, replace(state, coming=version, placing=None))
    return file


def _require_own(folder: Path, present: Mapping[str, str], state: State, version: Version) -> None:
    """Refuse to replace what was put there by hand; the very bytes that are wanted are no hindrance."""
    own = {*state.own, version.crc32c}
    for name, found in present.items():
        if found not in own:
            raise Conflict(f"{folder / name} was not downloaded, or was changed since: move it away and run it again.")


def _checked(file: Path, version: Version) -> str:
    """Hold the file to the store's checksum; one that differs is removed."""
    found = checksum(file)
    if (version.crc32c or found) != found or file.stat().st_size != version.size:
        file.unlink()
        raise Damaged(
            f"{version.source} came damaged (crc32c {found}, not {version.crc32c}) and was thrown away: run it again."
        )
    return found


def _check_lines(file: Path, version: Version, newest: datetime, progress: Progress) -> None:
    with file.open("rb") as opened:
        is_gzip = opened.read(len(MAGIC)) == MAGIC
    if is_gzip != version.gzipped:
        is_, says = ("gzip", "plain") if is_gzip else ("no gzip", "gzipped")
        raise InvalidInput(
            f"{version.source} is {is_} but its name and type say {says}: upload it under a name that fits."
        )
    try:
        check_file(file, newest, progress)
    except InvalidInput as error:
        raise type(error)(
            f"{version.source} cannot be used, and what was there before stays: {error.message} Upload it anew.",
            details=error.details,
        ) from error


def _place(file: Path, folder: Path, state: State, fetched: Fetched) -> None:
    """Put the whole file in its place; the one of the other form, which would be read instead, goes."""
    unfinished = folder / UNFINISHED
    kept.save(unfinished, replace(state, coming=fetched.version, placing=fetched.crc32c))
    _to_disk(file)
    file.replace(folder / fetched.name)
    for other in set(NAMES) - {fetched.name}:
        (folder / other).unlink(missing_ok=True)
    _to_disk(folder)
    kept.save(unfinished, State(here=fetched))


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _here(name: str, found: str | None, state: State, version: Version) -> Fetched | None:
    """Find by its checksum that this version is in its place already, brought by an earlier run or by hand."""
    known = state.here.crc32c if state.here and state.here.version == version else version.crc32c
    return Fetched(version, name, found) if found and found == known else None


def checksum(path: Path) -> str:
    """The crc32c of a file in base64, as Cloud Storage gives it."""
    found = google_crc32c.Checksum()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            found.update(block)
    return base64.b64encode(found.digest()).decode()
