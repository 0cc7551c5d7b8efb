"""The folder in which batches wait until the monitor has stored them. Several processes may share it."""

import json
import logging
import os
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from driftline.client.batches.batch_file import BatchFile, BatchStage, FileFormat, RowKind
from driftline.client.spool.locked_file import LockedFile
from driftline.client.spool.open_batch import OpenBatch

log = logging.getLogger("driftline.client")

REASON = ".reason.json"
"""What the name of a refused batch's reason ends with."""

ABANDONED = 3600.0
"""Seconds after which nobody is making a `.new` batch any more."""


class Spool:
    """The batches of one model in one folder, which only its owner can read."""

    def __init__(self, folder: Path) -> None:
        """Create the folder where it does not exist."""
        self.folder = folder
        self.refused = folder / "refused"
        self._refused_measured = -1, 0
        self.unreadable: set[str] = set()
        """Names of open batches of ended processes that could not be sealed."""
        self.refused.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)

    def begin(self, kind: RowKind) -> OpenBatch:
        """Create an empty batch that this process holds; it is locked before others can see it as open."""
        batch = BatchFile(_new_key(), kind, FileFormat.NDJSON, BatchStage.NEW, self.folder)
        file = LockedFile.create(batch.path)
        opened = batch.at(BatchStage.OPEN)
        batch.path.rename(opened.path)
        file.path = opened.path
        return OpenBatch(opened, file)

    def seal(self, batch: OpenBatch) -> None:
        """Write a batch to the disk and declare it ready; from now on its content never changes."""
        with batch.file:
            self._seal(batch.batch, batch.file)

    def _seal(self, batch: BatchFile, file: LockedFile) -> None:
        if os.fstat(file.descriptor).st_size == 0:
            batch.path.unlink()
            return
        os.fsync(file.descriptor)
        batch.path.rename(batch.at(BatchStage.READY).path)
        self._sync_folder()

    def recover(self) -> int:
        """Seal the batches of processes that have ended; return their number.

        A last line without its end was being written when the process ended: its call never returned, so it is removed.
        """
        self._remove_abandoned()
        recovered = 0
        unreadable = set()
        for batch in self.batches(BatchStage.OPEN):
            try:
                recovered += self._recover(batch)
            except OSError as error:
                unreadable.add(batch.name)
                if batch.name not in self.unreadable:
                    log.error("%s stays: it cannot be read or moved (%s); it is tried again", batch.path, error)
        self.unreadable = unreadable
        return recovered

    def _recover(self, batch: BatchFile) -> bool:
        """Seal an open batch; return False where its process holds it."""
        file = LockedFile.claim(batch.path)
        if file is None:
            return False
        with file:
            _keep_complete_lines(file)
            self._seal(batch, file)
        return True

    def add(self, kind: RowKind, form: FileFormat, contents: Sequence[bytes]) -> None:
        """Store complete batches; they become ready when all of them are on the disk."""
        batches = [BatchFile(_new_key(), kind, form, BatchStage.NEW, self.folder) for _ in contents]
        self._write_all(batches, contents)

    def _write_all(self, batches: Sequence[BatchFile], contents: Sequence[bytes]) -> None:
        """Write batches under their `.new` names, then rename them; after an error nothing of them is left."""
        try:
            for batch, content in zip(batches, contents, strict=True):
                _write(batch.path, content)
        except OSError:
            for batch in batches:
                batch.path.unlink(missing_ok=True)
            raise
        for batch in batches:
            batch.path.rename(batch.at(BatchStage.READY).path)
        self._sync_folder()

    def batches(self, stage: BatchStage) -> list[BatchFile]:
        """Return the batches at a stage, the oldest first."""
        names = os.listdir(self.folder)  # noqa: PTH208  (a folder with many batches is read often)
        return sorted(batch for name in names if (batch := BatchFile.parse(self.folder, name)) and batch.stage is stage)

    def waiting(self) -> int:
        """Return the number of ready batches."""
        return len(self.batches(BatchStage.READY))

    def refusals(self) -> int:
        """Return the number of refused batches."""
        return sum(not path.name.endswith(REASON) for path in self.refused.iterdir())

    def size(self) -> int:
        """Return the bytes of all batches except refused ones."""
        return sum(_size(entry) for entry in _entries(self.folder))

    def refused_size(self) -> int:
        """Return the bytes of the folder `refused`, reasons included; it is read again when a file came or went."""
        changed = self.refused.stat().st_mtime_ns
        if changed != self._refused_measured[0]:
            with os.scandir(self.refused) as entries:
                self._refused_measured = changed, sum(map(_size, entries))
        return self._refused_measured[1]

    def replace(
        self,
        batch: BatchFile,
        contents: Sequence[bytes],
        faulty: bytes = b"",
        reason: Mapping[str, object] | None = None,
    ) -> list[BatchFile]:
        """Replace a claimed batch by others and return them; done twice, it has the same outcome.

        Rows that are `faulty` go to the folder `refused` first, with the reason beside them.
        """
        replacements = batch.replacements([*contents, faulty])
        refused = replacements.pop()
        if faulty:
            self._write_reason(refused, reason or {})
            _write(self.refused / refused.name, faulty)
        self._write_all([replacement.at(BatchStage.NEW) for replacement in replacements], contents)
        batch.path.unlink()
        return replacements

    def refuse(self, batch: BatchFile, reason: Mapping[str, object]) -> Path:
        """Move a claimed batch to the folder `refused`, with the reason beside it; return its new path."""
        self._write_reason(batch, reason)
        return batch.path.rename(self.refused / batch.name)

    def _write_reason(self, batch: BatchFile, reason: Mapping[str, object]) -> None:
        (self.refused / f"{batch.name}{REASON}").write_text(json.dumps(dict(reason), indent=2) + "\n")

    def _remove_abandoned(self) -> None:
        """Remove what processes that have ended were still making; it was never acknowledged."""
        for entry in _entries(self.folder):
            if entry.name.endswith(f".{BatchStage.NEW}") and _age(entry) > ABANDONED:
                with suppress(OSError):
                    Path(entry.path).unlink()

    def _sync_folder(self) -> None:
        """Write the names of the files to the disk."""
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _new_key() -> str:
    """Return a key that no other process or machine makes; keys sort by time."""
    return f"{time.time_ns():020d}-{secrets.token_hex(8)}"


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield the files of batches in a folder."""
    with os.scandir(folder) as entries:
        yield from (entry for entry in entries if BatchFile.parse(folder, entry.name))


def _size(entry: os.DirEntry[str]) -> int:
    """Return a file's size; 0 where another process has just removed it."""
    try:
        return entry.stat().st_size
    except FileNotFoundError:
        return 0


def _age(entry: os.DirEntry[str]) -> float:
    """Return the seconds since a file was written; 0 where it is gone."""
    try:
        return time.time() - entry.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _write(path: Path, content: bytes) -> None:
    """Write a file that its owner alone can read, and wait until it is on the disk."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:  # noqa: PTH123
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _keep_complete_lines(file: LockedFile) -> None:
    """Truncate a file after its last complete line; only a loss of power leaves more than one line to remove."""
    content = file.path.read_bytes()
    end = 0
    for line in content.splitlines(keepends=True):
        if not line.endswith(b"\n") or not _is_json(line):
            break
        end += len(line)
    if end < len(content):
        log.warning("%s: removed %d bytes after the last complete row", file.path.name, len(content) - end)
        os.ftruncate(file.descriptor, end)


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
