"""Appends rows to the open batches of this process."""

import threading
from collections import deque
from collections.abc import Sequence

from driftline.client.batch_file import FileFormat, RowKind
from driftline.client.errors import SpoolFailed, SpoolFull
from driftline.client.open_batch import OpenBatch
from driftline.client.spool import Spool

MAX_BYTES = 4 * 1024 * 1024
"""Bytes after which a batch is complete, whatever its number of rows."""


class SpoolWriter:
    """Takes rows from all threads of a process; `completed` holds the batches that nobody appends to any more."""

    def __init__(self, spool: Spool, *, batch_rows: int, max_spool_bytes: int) -> None:
        """Measure the spool folder."""
        self._spool = spool
        self._batch_rows = batch_rows
        self._max_spool_bytes = max_spool_bytes
        self._lock = threading.Lock()
        self._open: dict[RowKind, OpenBatch] = {}
        self.completed: deque[OpenBatch] = deque()
        self.rows = 0
        self.room = 0
        self.measure()

    def measure(self) -> None:
        """Measure how many more bytes the spool folder may take; other processes write to it too."""
        self.room = self._max_spool_bytes - self._spool.size()

    def append(self, kind: RowKind, lines: bytes, rows: int) -> bool:
        """Append lines to the open batch; return whether this completed it.

        Raises:
            SpoolFull: the folder has no room for the lines.
            SpoolFailed: the disk is full or fails.
        """
        with self._lock:
            self._reserve(len(lines))
            batch = self._open.get(kind) or self._begin(kind)
            batch.append(lines, rows)
            self.rows += rows
            if batch.rows < self._batch_rows and batch.size < MAX_BYTES:
                return False
            self.completed.append(self._open.pop(kind))
            return True

    def add(self, kind: RowKind, form: FileFormat, contents: Sequence[bytes], rows: int) -> None:
        """Store complete batches.

        Raises:
            SpoolFull: the folder has no room for them.
            SpoolFailed: the disk is full or fails.
        """
        with self._lock:
            self._reserve(sum(map(len, contents)))
        try:
            self._spool.add(kind, form, contents)
        except OSError as error:
            raise SpoolFailed(_failure(self._spool, error)) from error
        with self._lock:
            self.rows += rows

    def _reserve(self, size: int) -> None:
        """Count bytes that are about to be written."""
        self.require_room(size)
        self.room -= size

    def require_room(self, size: int) -> None:
        """Require that the folder has room for more bytes.

        Raises:
            SpoolFull: it has none.
        """
        if size > self.room:
            msg = (
                f"The spool folder {self._spool.folder} has no room for {size:,} more bytes (max_spool_bytes="
                f"{self._max_spool_bytes:,}); start the monitor, or raise max_spool_bytes=. The row was not taken."
            )
            raise SpoolFull(msg)

    def _begin(self, kind: RowKind) -> OpenBatch:
        try:
            batch = self._spool.begin(kind)
        except OSError as error:
            raise SpoolFailed(_failure(self._spool, error)) from error
        self._open[kind] = batch
        return batch

    def complete(self, begun_before: float = float("inf")) -> None:
        """Complete the open batches that were begun before an instant of the monotonic clock."""
        with self._lock:
            for kind, batch in tuple(self._open.items()):
                if batch.begun < begun_before:
                    self.completed.append(self._open.pop(kind))


def _failure(spool: Spool, error: OSError) -> str:
    return (
        f"The spool folder {spool.folder} cannot be written ({error}); free space on its disk. The rows were not taken."
    )
