"""The client that a program uses to send predictions and labels to a monitor service."""

import atexit
import logging
import os
import secrets
import threading
import time
import weakref
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, runtime_checkable

from driftline.client.batches.batch_file import RowKind
from driftline.client.batches.frames import encoded_frame, row_count
from driftline.client.batches.rows import Row, checked_id, label_line, prediction_line
from driftline.client.batches.values import instant_text
from driftline.client.errors import ClientClosed, SpoolFailed
from driftline.client.sending.delivery import Destination, MonitorConnection
from driftline.client.sending.sender import REPEATED_AFTER, Sender
from driftline.client.spool.spool import Spool
from driftline.client.spool.writer import SpoolWriter
from driftline.client.status import ClientStatus
from driftline.errors import InvalidInput

log = logging.getLogger("driftline.client")

CLOSE_TIMEOUT = 5.0
FRAME_ROWS = 50_000
_clients: "weakref.WeakSet[MonitorClient]" = weakref.WeakSet()


@runtime_checkable
class LabelItems(Protocol):
    """Labels by the ids of their predictions, such as a dict or a pandas Series."""

    def items(self) -> Iterable[tuple[Any, Any]]:
        """Return pairs of id and label."""
        ...


class MonitorClient:
    """Sends predictions and labels of one model to a monitor service.

    A call returns when its rows are in the spool folder, in microseconds; a thread sends them in batches. Rows of a
    call that has returned are stored by the monitor once, even if the program is killed and started again.

    - `url`, `model`, `version`: the address of the service and the registered model; by default its champion.
    - `spool`: a folder on a local disk, for all processes and models that send to the same monitor service.
    - `token`: with the scope `ingest`; by default the environment variable DRIFTLINE_TOKEN. `ca`: a PEM file with the
      authority of the service's certificate; by default those of the system.
    - `batch_rows`, `batch_seconds`: a batch is sent when it has so many rows or is so old.
    - `max_spool_bytes`: how much the model's folder may take, refused batches included; more rows are not accepted.
    - `timeout`: seconds to wait for an answer of the monitor.
    - `raise_errors`: False logs and counts rows that cannot be accepted instead of raising, so that a failed monitor
      never fails a request of your users.

    Safe for threads and for processes that fork.

    >>> import tempfile
    >>> import pandas as pd
    >>> from driftline.client import MonitorClient
    >>> frame = pd.DataFrame({
    ...     "id": ["b"], "event_time": pd.Timestamp("2026-01-01", tz="UTC"), "usage": 2.0,
    ...     "prediction": 0, "probability_1": 0.3,
    ... })
    >>> with tempfile.TemporaryDirectory() as spool:
    ...     client = MonitorClient("http://127.0.0.1:9", "shipments", spool=spool)  # no monitor answers there
    ...     print(client.log({"usage": 3.5}, prediction=1, score=0.8, id="a"))
    ...     print(client.log_frame(frame), client.log_labels({"a": 1, "b": 0}))
    ...     print(client.flush(timeout=0.1), client.status().logged, client.close(timeout=1))
    a
    1 2
    False 4 False
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        spool: str | os.PathLike[str],
        version: int | None = None,
        token: str | None = None,
        ca: str | os.PathLike[str] | None = None,
        batch_rows: int = 5_000,
        batch_seconds: float = 5.0,
        max_spool_bytes: int = 1 << 30,
        timeout: float = 30.0,
        raise_errors: bool = True,
    ) -> None:
        """Create the spool folder; nothing is sent before the first call of a method.

        Raises:
            InvalidInput: the address or an option is invalid.
            OSError: the spool folder cannot be created.
        """
        _require_positive(
            batch_rows=batch_rows, batch_seconds=batch_seconds, max_spool_bytes=max_spool_bytes, timeout=timeout
        )
        self._destination = Destination(url, model, version, token, None if ca is None else Path(ca), timeout)
        if self._destination.exposes_token:
            log.warning("%s is not https: the network can read the token and the rows; use https and ca=", url)
        self._spool = Spool(Path(spool).absolute() / self._destination.folder)
        self._batch_rows = batch_rows
        self._batch_seconds = batch_seconds
        self._max_spool_bytes = max_spool_bytes
        self._raise_errors = raise_errors
        self._closed = False
        self._reset()
        _clients.add(self)
        atexit.register(self.close)

    def _reset(self) -> None:
        """Reset the state in a forked child: threads, locks, connections and open batches stay with the parent."""
        self._starting = threading.Lock()
        self._writer: SpoolWriter | None = None
        self._sender: Sender | None = None
        self._prefix = secrets.token_hex(8)
        self._numbers = count(1)
        self._dropped = 0
        self._logged_at = float("-inf")

    def log(
        self,
        features: Mapping[str, object],
        prediction: object,
        score: object = None,
        id: str | int | None = None,
        at: datetime | None = None,
    ) -> str:
        """Log one prediction and return its id, by which its label is sent later; an empty text if it was dropped.

        `score` is the probability of class 1, or a mapping of classes to probabilities; regressions have none. `id` is
        a new one by default, `at` now. Features may be numbers, texts, truth values, dates, aware datetimes, decimals
        and numpy's scalars; None, NaN and infinite numbers are missing.

        Raises:
            InvalidInput: a value cannot be sent; the message names it.
            SpoolFull: the model's folder has no room within `max_spool_bytes`.
            SpoolFailed: the disk of the spool folder fails.
            ClientClosed: the client is closed.
        """
        try:
            row_id = f"{self._prefix}-{next(self._numbers)}" if id is None else checked_id(id)
            self._append(RowKind.PREDICTIONS, [Row(row_id, prediction_line(row_id, at, prediction, score, features))])
        except Exception as error:  # noqa: BLE001  (`_drop` raises it again, or logs it)
            self._drop(1, error)
            return ""
        return row_id

    def log_labels(self, labels: "LabelItems | Iterable[tuple[Any, object]]", known_at: datetime | None = None) -> int:
        """Log labels by the ids of their predictions, as a mapping, a series or pairs; return how many were accepted.

        `known_at` is when they became known, by default now. A label that is sent again with another value and a
        newer `known_at` is revised; an older one is ignored. All labels are checked before any is accepted.
        Raises the errors of `log`.
        """
        pairs: list[tuple[Any, object]] = []
        try:
            instant = datetime.now(UTC).isoformat() if known_at is None else instant_text("known_at", known_at)
            pairs.extend(labels.items() if isinstance(labels, LabelItems) else labels)
            rows = [_label_row(row_id, label, instant) for row_id, label in pairs]
            self._append(RowKind.LABELS, rows)
        except Exception as error:  # noqa: BLE001  (`_drop` raises it again, or logs it)
            accepted = error.accepted if isinstance(error, SpoolFailed) else 0
            self._drop(max(1, len(pairs) - accepted), error)
            return accepted
        return len(rows)

    def log_frame(self, frame: Any) -> int:
        """Log a frame of predictions with the columns of the model's reference file; return how many were accepted.

        `frame` is of pandas, polars or pyarrow, or a mapping of columns. It is sent as Arrow in batches of at most
        50,000 rows; without pyarrow as JSON, and then the columns must be named `event_time`, `id`, `prediction` and
        `probability_1`, or `probability_` and a class; all others are features. It is on the disk when the call
        returns. Raises the errors of `log`.
        """
        try:
            encoded = encoded_frame(frame, FRAME_ROWS)
            writer, sender = self._worker()
            writer.add(RowKind.PREDICTIONS, encoded.format, encoded.contents, encoded.rows)
            sender.wake()
        except Exception as error:  # noqa: BLE001  (`_drop` raises it again, or logs it)
            self._drop(row_count(frame), error)
            return 0
        return encoded.rows

    def _append(self, kind: RowKind, rows: list[Row]) -> None:
        writer, sender = self._worker()
        if writer.append(kind, rows):
            sender.wake()

    def _worker(self) -> tuple[SpoolWriter, Sender]:
        """Return the writer and the sender of this process; start them at the first call.

        Raises:
            ClientClosed: the client is closed.
        """
        if self._closed:
            raise ClientClosed()
        if self._writer is None or self._sender is None:
            with self._starting:
                if self._closed:
                    raise ClientClosed()
                if self._writer is None or self._sender is None:
                    writer = SpoolWriter(
                        self._spool, batch_rows=self._batch_rows, max_spool_bytes=self._max_spool_bytes
                    )
                    sender = Sender(self._spool, writer, MonitorConnection(self._destination), self._batch_seconds)
                    sender.start()
                    self._writer, self._sender = writer, sender
        return self._writer, self._sender

    def _drop(self, rows: int, error: Exception) -> None:
        """Count rows that were not accepted; raise the error, or log it once a minute."""
        self._dropped += rows
        if self._raise_errors:
            raise error
        now = time.monotonic()
        if now - self._logged_at >= REPEATED_AFTER:
            self._logged_at = now
            log.error("rows of model %s were not accepted: %s", self._destination.model, error)

    def flush(self, timeout: float = 30.0) -> bool:
        """Wait until the monitor has stored or refused all logged rows; return False after `timeout` seconds.

        Rows of other processes that wait in the spool folder are included, except those that they have just logged.
        """
        return self._worker()[1].flush(timeout)

    def status(self) -> ClientStatus:
        """Return counts of this process and of the spool folder."""
        writer, sender = self._writer, self._sender
        return ClientStatus(
            logged=writer.rows if writer else 0,
            dropped=self._dropped,
            sent=sender.rows if sender else 0,
            waiting_batches=self._spool.waiting(),
            waiting_bytes=self._spool.size(),
            refused_batches=self._spool.refusals(),
            refused_bytes=self._spool.refused_size(),
            failing_batches=sender.failing if sender else 0,
            last_sent_at=sender.last_sent_at if sender else None,
            last_error=sender.last_error if sender else None,
        )

    def close(self, timeout: float = CLOSE_TIMEOUT) -> bool:
        """Flush for at most `timeout` seconds, stop the thread, and return whether nothing is left.

        A call of another thread is included, or raises ClientClosed. What is left is sent by the next client of the
        folder. The end of the program closes a client too, except when it is killed.
        """
        with self._starting:
            was_closed, self._closed = self._closed, True
            writer, sender = self._writer, self._sender
        atexit.unregister(self.close)
        if was_closed or writer is None or sender is None:
            return True
        deadline = time.monotonic() + timeout
        writer.close(timeout)
        flushed = sender.flush(max(0.0, deadline - time.monotonic()))
        sender.stop(max(0.1, deadline - time.monotonic()))
        return flushed

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _label_row(row_id: object, label: object, known_at: str) -> Row:
    text = checked_id(row_id)
    return Row(text, label_line(text, label, known_at))


def _require_positive(**options: float) -> None:
    faults = tuple(f"{name} is {value!r}; pass a number above 0." for name, value in options.items() if not value > 0)
    if faults:
        raise InvalidInput("Options of the client are invalid.", details=faults)


def _reset_in_child() -> None:
    for client in tuple(_clients):
        client._reset()


os.register_at_fork(after_in_child=_reset_in_child)
