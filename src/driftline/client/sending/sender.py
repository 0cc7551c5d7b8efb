"""The thread that seals batches and sends them, so that no call of the program waits for the monitor."""

import logging
import threading
import time
from collections import deque
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from driftline import spans
from driftline.client.batches.batch_file import BatchFile, BatchStage
from driftline.client.batches.division import Refusals, divide
from driftline.client.sending.answers import Answer, BatchOutcome
from driftline.client.sending.backoff import Backoff
from driftline.client.sending.delivery import MonitorConnection
from driftline.client.spool.locked_file import LockedFile
from driftline.client.spool.spool import Spool
from driftline.client.spool.writer import SpoolWriter
from driftline.spans import SpanKind

log = logging.getLogger("driftline.client")

LONGEST_TICK = 1.0
REPEATED_AFTER = 60.0
"""Seconds after which a failure that lasts is logged again."""


class Sender:
    """Sends the batches of a spool folder, of all processes that write there; one object for each process."""

    def __init__(self, spool: Spool, writer: SpoolWriter, delivery: MonitorConnection, batch_seconds: float) -> None:
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
        self._refusals: dict[str, Refusals] = {}
        self._traces: dict[str, tuple[str, ...]] = {}
        self._failing: dict[str, Backoff] = {}
        self._logged: set[str] = set()
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

    @property
    def failing(self) -> int:
        """The number of batches that failed when they were last tried."""
        ready = self._spool.batches(BatchStage.READY)
        return sum(batch.key in self._failing for batch in ready) + len(self._spool.unreadable)

    def _run(self) -> None:
        """Repeat `step` until the sender is stopped, when it is woken and at least once a second."""
        while not self._stopping:
            self._awake.wait(min(LONGEST_TICK, self._batch_seconds))
            self._awake.clear()
            try:
                self.step(time.monotonic())
            except Exception as error:
                self._record_failure(time.monotonic(), Answer(BatchOutcome.RETRY, f"the spool folder fails ({error})"))
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
        """Seal the batches that are complete, and those of ended processes.

        With a lock: a flush must not miss a batch that the thread is sealing.
        """
        with self._sealing:
            while self._writer.completed:
                batch = self._writer.completed.popleft()
                if batch.traces:
                    self._traces[batch.batch.origin] = tuple(batch.traces)
                self._spool.seal(batch)
            self._spool.recover()

    def _send_all(self, now: float) -> None:
        """Send ready batches, the oldest first, until one has to wait; leave those that other processes are sending.

        A batch that fails comes last from then on, and waits by itself, so that it does not keep back the others. The
        replacements of a divided batch come next: so a few requests show whether any of its rows is valid.
        """
        waiting = deque(self._ready(now))
        while waiting and not self._stopping:
            batch = waiting.popleft()
            try:
                answer, replacements = self._send(batch)
            except OSError as error:
                self._failed_alone(batch, f"it cannot be read or moved ({error})")
                continue
            waiting.extendleft(reversed(replacements))
            if answer is not None and answer.state is BatchOutcome.RETRY and not self._goes_on(now, batch, answer):
                return

    def _ready(self, now: float) -> list[BatchFile]:
        """Return the batches to send now, in their order; forget failures and refusals of batches that are finished."""
        with self._sealing:
            ready = self._spool.batches(BatchStage.READY)
            keys, origins = {batch.key for batch in ready}, {batch.origin for batch in ready}
            self._traces = {origin: traces for origin, traces in self._traces.items() if origin in origins}
        self._failing = {key: backoff for key, backoff in self._failing.items() if key in keys}
        self._logged &= keys
        self._refusals = {origin: refusals for origin, refusals in self._refusals.items() if origin in origins}
        unfailing = Backoff()
        backoffs = [(self._failing.get(batch.key, unfailing), batch) for batch in ready]
        due = sorted((backoff.failures, batch) for backoff, batch in backoffs if now >= backoff.not_before)
        return [batch for _, batch in due]

    def _send(self, batch: BatchFile) -> tuple[Answer | None, list[BatchFile]]:
        """Send a batch; return the answer, None where another process has the batch, and any replacements."""
        file = LockedFile.claim(batch.path)
        if file is None:
            return None, []
        with file:
            content = batch.path.read_bytes()
            traces = self._traces.get(batch.origin, ())
            with spans.continue_traces("send batch", SpanKind.CLIENT, traces) as span:
                answer = self._delivery.send(batch, content)
                if answer.state is not BatchOutcome.STORED:
                    span.fail(answer.state)
            return answer, [] if answer.state is BatchOutcome.RETRY else self._finish(batch, content, answer)

    def _goes_on(self, now: float, batch: BatchFile, answer: Answer) -> bool:
        """Return whether others are sent after a failure: where the batch has failed before, it may be the cause."""
        if answer.may_be_content and batch.key in self._failing:
            self._failed_alone(batch, answer.message)
            return True
        if answer.may_be_content:
            self._failing[batch.key] = Backoff()
            self._failing[batch.key].record_failure(time.monotonic(), None)
        self._record_failure(now, answer)
        return False

    def _failed_alone(self, batch: BatchFile, message: str) -> None:
        """Let a batch wait for longer after each failure, and log the failure once."""
        self.last_error = message
        self._failing.setdefault(batch.key, Backoff()).record_failure(time.monotonic(), None)
        level = logging.DEBUG if batch.key in self._logged else logging.ERROR
        self._logged.add(batch.key)
        log.log(level, "%s stays: %s; it is tried again, after all others", batch.path, message)

    def _finish(self, batch: BatchFile, content: bytes, answer: Answer) -> list[BatchFile]:
        """Delete a stored batch; divide a refused one, so that its valid rows are stored, or move it to `refused`.

        Return the replacements.
        """
        replacements: list[BatchFile] = []
        self._backoff.record_success()
        self._failing.pop(batch.key, None)
        refusals = self._refusals.setdefault(batch.origin, Refusals())
        if answer.state is BatchOutcome.STORED:
            refusals.in_a_row = 0
            batch.path.unlink()
            self.rows += answer.rows
            self.last_sent_at = datetime.now(UTC)
            self.last_error = None
        else:
            refusals.count()
            if answer.divisible and refusals.are_few:
                replacements = self._divide(batch, content, answer, refusals)
            if not replacements:
                self._refuse(batch, answer, refusals)
        with self._changed:
            self._changed.notify_all()
        return replacements

    def _divide(self, batch: BatchFile, content: bytes, answer: Answer, refusals: Refusals) -> list[BatchFile]:
        """Replace a batch by smaller ones, and return them; a single row, and what cannot be read, has none.

        Rows that the answer lists as invalid are kept in the folder `refused` and not sent again.
        """
        try:
            division = divide(
                batch.format, content, answer.named_rows, answer.faulty_rows.keys(), more=answer.more_rows
            )
        except (ValueError, ImportError) as error:
            log.warning("%s cannot be divided (%s)", batch.path, error)
            return []
        if not division.contents:
            return []
        if division.faulty:
            details = tuple(text for _, text in sorted(answer.faulty_rows.items()))
            self._log_refusal(refusals, batch, "rows", answer)
            return self._spool.replace(batch, division.contents, division.faulty, _reason(answer, details))
        return self._spool.replace(batch, division.contents)

    def _refuse(self, batch: BatchFile, answer: Answer, refusals: Refusals) -> None:
        self._spool.refuse(batch, _reason(answer, answer.details))
        self._log_refusal(refusals, batch, "a batch", answer)

    def _log_refusal(self, refusals: Refusals, batch: BatchFile, subject: str, answer: Answer) -> None:
        """Log the first refusal of a batch or a replacement, and note it; the reasons of all are beside the rows."""
        self.last_error = f"HTTP {answer.status}: {answer.message}"
        log.log(
            logging.DEBUG if refusals.logged else logging.ERROR,
            "the monitor refuses %s of %s (HTTP %s): %s They are kept in %s with the reason beside them.",
            subject, batch.kind, answer.status, "; ".join((answer.message, *answer.details[:3])), self._spool.refused,
        )  # fmt: skip
        refusals.logged = True

    def _record_failure(self, now: float, answer: Answer) -> None:
        self.last_error = answer.message
        self._backoff.record_failure(time.monotonic(), answer.wait)
        if now - self._logged_at >= REPEATED_AFTER:
            self._logged_at = now
            log.warning("rows wait in %s: %s", self._spool.folder, answer.message)

    def flush(self, timeout: float) -> bool:
        """Seal what this process has written, and wait until all that is ready now is stored or refused."""
        deadline = time.monotonic() + timeout
        self._writer.complete()
        self._seal_all()
        origins = frozenset(batch.origin for batch in self._spool.batches(BatchStage.READY))
        for backoff in (self._backoff, *self._failing.values()):
            backoff.retry_now()
        self.wake()
        while self._is_waiting(origins):
            remaining = deadline - time.monotonic()
            if remaining <= 0 or self._thread is None or not self._thread.is_alive():
                return False
            with self._changed:
                self._changed.wait(min(remaining, 0.1))
        self._writer.measure()
        return True

    def _is_waiting(self, origins: Collection[str]) -> bool:
        """Return whether one of these batches, or a replacement of one, is still waiting."""
        return any(batch.origin in origins for batch in self._spool.batches(BatchStage.READY))

    def stop(self, timeout: float) -> None:
        """Stop the thread; a request that lasts longer than `timeout` ends with the process."""
        self._stopping = True
        self.wake()
        if self._thread is not None:
            self._thread.join(timeout)


def _reason(answer: Answer, details: Sequence[str]) -> dict[str, object]:
    """Return why rows were refused, as it is kept beside them."""
    return {"status": answer.status, "message": answer.message, "details": details}
