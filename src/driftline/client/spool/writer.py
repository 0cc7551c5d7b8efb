"""Appends rows to the open batches of this process."""

import threading
from collections import deque
from collections.abc import Sequence

from driftline import spans
from driftline.client.batches.batch_file import FileFormat, RowKind
from driftline.client.batches.rows import Row
from driftline.client.errors import ClientClosed, SpoolFailed, SpoolFull
from driftline.client.spool.open_batch import OpenBatch
from driftline.client.spool.spool import Spool

MAX_BYTES = 4 * 1024 * 1024
"""Bytes after which a batch is complete, whatever its number of rows."""


class SpoolWriter:
    """Accepts rows from all threads of a process; `completed` holds the batches that are complete."""

    def __init__(self, spool: Spool, *, batch_rows: int, max_spool_bytes: int) -> None:
        """Measure the spool folder."""
        self._spool = spool
        self._batch_rows = batch_rows
        self._max_spool_bytes = max_spool_bytes
        self._lock = threading.Lock()
        self._unused = threading.Condition(self._lock)
        self._adding = 0
        self._closed = False
        self._open: dict[RowKind, OpenBatch] = {}
        self.completed: deque[OpenBatch] = deque()
        self.rows = 0
        self.room = 0
        self._refused = 0
        self.measure()

    def measure(self) -> None:
        """Measure how many more bytes the spool folder may take; other processes write to it too."""
        self._refused = self._spool.refused_size()
        self.room = self._max_spool_bytes - self._spool.size() - self._refused

    def append(self, kind: RowKind, rows: Sequence[Row]) -> bool:
        """Append rows to the open batch, and to further ones where it is full; return whether this completed any.

        A batch is also complete before an id that it has already, since the monitor refuses a batch with an id twice.

        Raises:
            SpoolFull: the folder has no room for all of them; none is accepted.
            SpoolFailed: the disk is full or fails; it says how many were accepted before.
            ClientClosed: the client is closed; none is accepted.
        """
        with self._lock:
            self._reserve(sum(len(row.line) for row in rows))
            completed, start = False, 0
            while start < len(rows):
                try:
                    end, is_complete = self._append_from(kind, rows, start)
                except SpoolFailed as error:
                    error.accepted = start
                    raise
                if is_complete:
                    self.completed.append(self._open.pop(kind))
                    completed = True
                start = end
            return completed

    def _append_from(self, kind: RowKind, rows: Sequence[Row], start: int) -> tuple[int, bool]:
        """Append the rows from a place that fit; return the place after them, and whether the batch is complete."""
        batch = self._open.get(kind) or self._begin(kind)
        lines: dict[str, bytes] = {}
        for row in rows[start : start + self._batch_rows - batch.rows]:
            if row.id in batch.ids or row.id in lines:
                break
            lines[row.id] = row.line
        if lines:
            batch.append(b"".join(lines.values()), lines, spans.traceparent())
            self.rows += len(lines)
        end = start + len(lines)
        return end, end < len(rows) or batch.rows >= self._batch_rows or batch.size >= MAX_BYTES

    def add(self, kind: RowKind, form: FileFormat, contents: Sequence[bytes], rows: int) -> None:
        """Store complete batches.

        Raises:
            SpoolFull: the folder has no room for them.
            SpoolFailed: the disk is full or fails.
            ClientClosed: the client is closed.
        """
        with self._lock:
            self._reserve(sum(map(len, contents)))
            self._adding += 1
        try:
            self._spool.add(kind, form, contents)
        except OSError as error:
            raise SpoolFailed(_failure(self._spool, error)) from error
        finally:
            with self._unused:
                self._adding -= 1
                self._unused.notify_all()
        with self._lock:
            self.rows += rows

    def close(self, timeout: float) -> None:
        """Accept no further rows; wait at most `timeout` seconds for calls that are storing rows."""
        with self._unused:
            self._closed = True
            self._unused.wait_for(lambda: self._adding == 0, timeout)

    def _reserve(self, size: int) -> None:
        """Count bytes that are about to be written.

        Raises:
            SpoolFull: the folder has no room for them.
            ClientClosed: the client is closed.
        """
        if self._closed:
            raise ClientClosed()
        if size > self.room:
            msg = (
                f"The spool folder {self._spool.folder} has no room for {size:,} more bytes (max_spool_bytes="
                f"{self._max_spool_bytes:,}, of which refused batches take {self._refused:,}); start the monitor, "
                "empty the folder refused/, or raise max_spool_bytes=. The row was not accepted."
            )
            raise SpoolFull(msg)
        self.room -= size

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
    cure = "free space on its disk. The rows were not accepted."
    return f"The spool folder {spool.folder} cannot be written ({error}); {cure}"
