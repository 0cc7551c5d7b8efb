"""Files that one process holds locked, so that others can see whether it lives.

The system releases a lock when its process ends, however it ends. A forked child inherits descriptors and would keep
the locks of its parent alive; therefore it closes them before anything else runs.
"""

import fcntl
import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

_changing = threading.RLock()
"""Held while a descriptor is opened or closed, and during a fork."""
_locked_files: set["LockedFile"] = set()


class LockedFile:
    """An open, locked file; use it in a `with` block, or close it."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """Take over a descriptor whose lock is held."""
        self.path = path
        self.descriptor = descriptor

    @classmethod
    def create(cls, path: Path) -> Self:
        """Create a file that does not exist, readable by its owner alone, and lock it."""
        return cls._open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL)

    @classmethod
    def claim(cls, path: Path) -> Self | None:
        """Open and lock an existing file; return None if it is missing or another process has locked it."""
        try:
            file = cls._open(path, os.O_RDWR | os.O_APPEND)
        except (FileNotFoundError, BlockingIOError):
            return None
        if file.is_at(path):
            return file
        file.close()  # renamed or deleted before it was locked
        return None

    @classmethod
    def _open(cls, path: Path, flags: int) -> Self:
        with _changing:
            descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(descriptor)
                raise
            file = cls(path, descriptor)
            _locked_files.add(file)
            return file

    def is_at(self, path: Path) -> bool:
        """Return whether `path` still names this file."""
        try:
            return os.path.samestat(os.fstat(self.descriptor), path.stat())
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Close the file and so release its lock; closing twice, or in a forked child, does nothing."""
        with _changing:
            if self in _locked_files:
                _locked_files.discard(self)
                os.close(self.descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _close_all_in_child() -> None:
    """Close what a forked child inherited; the locks stay with the parent."""
    for file in tuple(_locked_files):
        file.close()
    _changing.release()


os.register_at_fork(before=_changing.acquire, after_in_parent=_changing.release, after_in_child=_close_all_in_child)
