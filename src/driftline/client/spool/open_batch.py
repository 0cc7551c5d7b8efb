"""The batch to which one process appends."""

import os
import time
from collections.abc import Collection

from driftline.client.batches.batch_file import BatchFile
from driftline.client.errors import SpoolFailed
from driftline.client.spool.locked_file import LockedFile
from driftline.spans import MOST_LINKS


class OpenBatch:
    """A locked file of lines; what `append` has returned for survives the end of the process."""

    def __init__(self, batch: BatchFile, file: LockedFile) -> None:
        """Begin with an empty file."""
        self.batch = batch
        self.file = file
        self.ids: set[str] = set()
        self.traces: dict[str, None] = {}
        self.size = 0
        self.begun = time.monotonic()

    @property
    def rows(self) -> int:
        """How many rows it has; each has an id of its own."""
        return len(self.ids)

    def append(self, lines: bytes, ids: Collection[str], trace: str | None = None) -> None:
        """Append complete lines, all or none; `ids` are those of their rows, which belong to a trace or to none.

        Raises:
            SpoolFailed: the disk is full or fails.
        """
        try:
            written = os.write(self.file.descriptor, lines)
        except OSError as error:
            raise SpoolFailed(_failure(self.file, error)) from error
        if written != len(lines):
            self._take_back(written)
            raise SpoolFailed(_failure(self.file, "no space left on the device"))
        self.ids.update(ids)
        if trace is not None and len(self.traces) < MOST_LINKS:
            self.traces[trace] = None
        self.size += written

    def _take_back(self, written: int) -> None:
        """Remove an incomplete write, so that the next line begins at the start of a line."""
        os.ftruncate(self.file.descriptor, os.fstat(self.file.descriptor).st_size - written)


def _failure(file: LockedFile, reason: object) -> str:
    folder = file.path.parent
    return f"The spool folder {folder} cannot be written ({reason}); free space on its disk. The row was not accepted."
