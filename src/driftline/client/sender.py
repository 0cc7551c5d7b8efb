"""The thread that seals batches and sends them, so that no call of the program waits for the monitor."""

import logging
import threading
import time
from collections.abc import Collection
from datetime import UTC, datetime

from driftline.client.answers import INTERNAL_ERROR, TOO_LARGE, Answer, DeliveryState
from driftline.client.backoff import Backoff
from driftline.client.batch_file import BatchFile, Stage
from driftline.client.delivery import Delivery
from driftline.client.halving import MOST_HALVINGS, halve
from driftline.client.locked_file import LockedFile
from driftline.client.spool import Spool
from driftline.client.writer import SpoolWriter

log = logging.getLogger("driftline.client")

LONGEST_TICK = 1.0
REPEATED_AFTER = 60.0
"""Seconds after which a failure that lasts is logged again."""
MOST_REFUSALS = 12
"""Refusals without a stored batch in between after which no batch is halved: probably all rows are invalid."""


class Sender:
    """Sends what is in a spool folder, whichever process wrote it; one object for each process."""

    def __init__(self, spool: Spool, writer: SpoolWriter, delivery: Delivery, batch_seconds: float) -> None:
        """Store what the thread needs; `start` starts it."""
        self._spool = spool
        self._writer = writer
        self._delivery = delivery
        self._batch_seconds = batch_seconds
        self._backoff = Backoff()
        self._awake = threading.Event()
        self._changed = threading.Condition()
        self._sealing = threading.Lock()
        self._stopping = False
        self._refusals = 0
        self._failing: set[str] = set()
        self._logged_at = float("-inf")
        self._thread: threading.Thread | None = None
        self.rows = 0
        self.last_sent_at: datetime | None = None
        self.last_error: str | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="driftline-client", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Let the thread look for work at once."""
        self._awake.set()

    def _run(self) -> None:
        """Repeat `step` until the sender is stopped, when it is woken and at least once a second."""
        while not self._stopping:
            self._awake.wait(min(LONGEST_TICK, self._batch_seconds))
            self._awake.clear()
            try:
                self.step(time.monotonic())
            except Exception as error:
                self._failed(time.monotonic(), Answer(DeliveryState.RETRY, f"the spool folder fails ({error})"))
                log.debug("the step failed", exc_info=True)
            with self._changed:
                self._changed.notify_all()
        self._delivery.close()

    def step(self, now: float) -> None:
        """Seal batches that are complete or old enough, and those of ended processes; send what is ready."""
        may_send = now >= self._backoff.not_before
        if may_send:  # while the monitor is away, batches grow instead of becoming many
            self._writer.complete(now - self._batch_seconds)
        self._seal_all()
        self._writer.measure()
        if may_send:
            self._send_all(now)

    def _seal_all(self) -> None:
        """Seal the batches that nobody appends to any more, and those of ended processes.

        With a lock: a flush must not miss a batch that the thread is sealing.
        """
        with self._sealing:
            while self._writer.completed:
                self._spool.seal(self._writer.completed.popleft())
            self._spool.recover()

    def _send_all(self, now: float) -> None:
        """Send ready batches, the oldest first, until one has to wait; leave those that other processes are sending.

        A batch that the monitor fails on comes last from then on, so that it does not keep back the others.
        """
        for batch in sorted(self._spool.batches(Stage.READY), key=lambda batch: (batch.key in self._failing, batch)):
            if self._stopping:
                return
            if file := LockedFile.claim(batch.path):
                with file:
                    answer = self._delivery.send(batch, batch.path.read_bytes())
                    if answer.state is DeliveryState.RETRY:
                        self._failing.update([batch.key] if answer.status == INTERNAL_ERROR else [])
                        self._failed(now, answer)
                        return
                    self._finish(batch, answer)

    def _finish(self, batch: BatchFile, answer: Answer) -> None:
        """Delete a stored batch; halve a refused one, so that its valid rows are stored, or move it to `refused`."""
        self._backoff.succeeded()
        self._failing.discard(batch.key)
        if answer.state is DeliveryState.STORED:
            self._refusals = 0
            batch.path.unlink()
            self.rows += answer.rows
            self.last_sent_at = datetime.now(UTC)
            self.last_error = None
        else:
            self._refusals += answer.status != TOO_LARGE
            divisible = answer.divisible and self._refusals <= MOST_REFUSALS
            if not (divisible and self._replace_by_halves(batch)):
                self._refuse(batch, answer)
        with self._changed:
            self._changed.notify_all()

    def _replace_by_halves(self, batch: BatchFile) -> bool:
        """Replace a batch by its halves; return whether it has more than one row and is not a small part already."""
        halves = halve(batch.format, batch.path.read_bytes()) if batch.halvings < MOST_HALVINGS else None
        if halves is None:
            return False
        self._spool.replace(batch, halves)
        self._awake.set()
        return True

    def _refuse(self, batch: BatchFile, answer: Answer) -> None:
        self.last_error = f"HTTP {answer.status}: {answer.message}"
        reason = {"status": answer.status, "message": answer.message, "details": answer.details}
        path = self._spool.refuse(batch, reason)
        log.error(
            "the monitor refuses a batch of %s (HTTP %s): %s It is kept in %s with the reason beside it.",
            batch.kind, answer.status, "; ".join((answer.message, *answer.details[:3])), path,
        )  # fmt: skip

    def _failed(self, now: float, answer: Answer) -> None:
        self.last_error = answer.message
        self._backoff.failed(time.monotonic(), answer.wait)
        if now - self._logged_at >= REPEATED_AFTER:
            self._logged_at = now
            log.warning("rows wait in %s: %s", self._spool.folder, answer.message)

    def flush(self, timeout: float) -> bool:
        """Seal what this process has written, and wait until all that is ready now is stored or refused."""
        deadline = time.monotonic() + timeout
        self._writer.complete()
        self._seal_all()
        origins = frozenset(batch.origin for batch in self._spool.batches(Stage.READY))
        self._backoff.hasten()
        self.wake()
        while self._is_waiting(origins):
            left = deadline - time.monotonic()
            if left <= 0 or self._thread is None or not self._thread.is_alive():
                return False
            with self._changed:
                self._changed.wait(min(left, 0.1))
        self._writer.measure()
        return True

    def _is_waiting(self, origins: Collection[str]) -> bool:
        """Return whether one of these batches, or a part of it, is still waiting."""
        return any(batch.origin in origins for batch in self._spool.batches(Stage.READY))

    def stop(self, timeout: float) -> None:
        """Stop the thread; a request that lasts longer than `timeout` ends with the process."""
        self._stopping = True
        self.wake()
        if self._thread is not None:
            self._thread.join(timeout)
