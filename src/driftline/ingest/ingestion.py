"""Ingests batches: reads what was sent, checks it, and writes it through the ledger with its log entry."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import uuid4

import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, Engine, case, func, select

from driftline.backtesting.options import OptionStyle
from driftline.clock import Clock
from driftline.engine.results import EVENT_TIME, ID
from driftline.engine.spec import ModelClock
from driftline.errors import Conflict, DriftlineError, InvalidInput, PredictionConflict
from driftline.ingest.batch_lineage import record_refused, record_stored
from driftline.ingest.conflicts import with_rows
from driftline.ingest.deletion import Deletion
from driftline.ingest.errors import TooMuchContent
from driftline.ingest.rows.content import Content, require_few_rows
from driftline.ingest.rows.content_frame import flat_frame
from driftline.ingest.rows.json_rows import SentRows, json_rows
from driftline.ingest.rows.label_rows import label_columns, label_rows
from driftline.ingest.rows.layouts import LABEL_FIELDS, PREDICTION_FIELDS, IngestLayout, query_option
from driftline.ingest.rows.prediction_rows import columns_read, prediction_rows
from driftline.ingest.target import Target, Targets
from driftline.store import ledger
from driftline.store.database import in_transaction, translated
from driftline.store.model_numbers import model_number
from driftline.store.rows import labels
from driftline.store.rows.encoding.prediction_batch import PredictionBatch
from driftline.store.rows.encoding.prediction_schema import MODEL_VERSION
from driftline.store.rows.writing.corrections import correct
from driftline.store.rows.writing.deletions import erase
from driftline.store.sources import ingest_log
from driftline.store.sources.ingest_log import EVERY_ENTRY, IngestEntry, IngestState, LogFilter
from driftline.store.tables import labels as labels_table

REFUSALS = (InvalidInput, Conflict, TooMuchContent)
"""The errors by which a batch is refused; nothing of it is stored then."""
LONGEST_KEY = 100
_KEY = re.compile(rf"[!-~](?:[ -~]{{0,{LONGEST_KEY - 2}}}[!-~])?")


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch as it was sent: its content and its options.

    `key` makes its id; without one its content does. `version` is that of the rows, by default the newest. `caller` is
    the name of the token or of the program, for the log; `option` spells options in messages.
    """

    content: Content
    key: str | None = None
    version: int | None = None
    na_values: Collection[str] = ()
    caller: str | None = None
    option: OptionStyle = query_option


@dataclass(frozen=True, slots=True)
class Receipt:
    """The receipt of a batch: its id, its rows, and how many of them were new, stored already, and changed.

    Labels that are older than those stored count as stored already.
    """

    batch: str
    rows: int
    new: int
    same: int
    changed: int = 0


Write = Callable[[Connection], Receipt]


@dataclass(frozen=True)
class Ingestion:
    """Ingests batches into one database; safe to use from several threads. Every batch, refused or not, is logged."""

    engine: Engine
    clock: Clock
    targets: Targets = field(init=False)

    def __post_init__(self) -> None:
        """Make the memory of specs."""
        object.__setattr__(self, "targets", Targets(self.engine))

    def predictions(self, name: str, sent: Sent) -> Receipt:
        """Store predictions; the same batch again, and the same prediction in another batch, change nothing.

        Raises:
            NotFound: no such model or version. InvalidInput: with every fault. TooMuchContent: too many rows or bytes.
            BatchConflict: the key has other content. PredictionConflict: an id has other content.
            Unavailable: the database does not answer, or others hold its rows.
        """
        return self._ingest(name, sent, ledger.BatchKind.PREDICTIONS)

    def labels(self, name: str, sent: Sent) -> Receipt:
        """Store labels, before or after their predictions; another value for a stored label revises it.

        Raises: as `predictions` does, except PredictionConflict.
        """
        return self._ingest(name, sent, ledger.BatchKind.LABELS)

    def corrections(self, name: str, sent: Sent) -> Receipt:
        """Store other content for stored predictions, which replaces it; their chunks are computed again.

        Raises: as `predictions` does, except PredictionConflict; an id that is not stored is an InvalidInput.
        """
        return self._ingest(name, sent, ledger.BatchKind.CORRECTION)

    def deletions(self, name: str, sent: Sent) -> Receipt:
        """Erase predictions and their labels, by `ids` or by the `value` of a `column`, for good; `sent` is JSON.

        Raises: as `predictions` does, except PredictionConflict.
        """
        return self._ingest(name, sent, ledger.BatchKind.DELETION)

    def log(self, name: str, most: int, entry_filter: LogFilter = EVERY_ENTRY) -> list[tuple[int, IngestEntry]]:
        """Return the newest entries of a model's log with their numbers, at most `most` of them.

        Raises:
            NotFound: no such model.
        """
        with translated(), self.engine.connect() as connection:
            return ingest_log.newest(connection, model_number(connection, name), most, entry_filter)

    def prepare(self, name: str, sent: Sent, kind: str) -> Write:
        """Read and check a batch; the result writes it with its log entry, in a transaction of the caller.

        `kind` is one of `ledger.BatchKind`. Nothing is logged where the batch is refused; see `log_refusal`.

        Raises: as `predictions` does; what is stored is compared only as the batch is written.
        """
        target, now = self.targets.of(name, sent.version), self.clock()
        entry = _Entry(target.model_number, now, kind, sent)
        require_key(sent.key)
        write = self._writers[kind](target, sent, now)

        def write_and_log(connection: Connection) -> Receipt:
            receipt = write(connection)
            stored = entry.stored(receipt)
            ingest_log.record(connection, stored)
            record_stored(connection, target, stored)
            return receipt

        return write_and_log

    def log_refusal(self, connection: Connection, name: str, sent: Sent, kind: str, error: DriftlineError) -> None:
        """Log that a batch was refused.

        Raises:
            NotFound: no such model.
        """
        number = model_number(connection, name)
        refused = _Entry(number, self.clock(), kind, sent).refused(error)
        ingest_log.record(connection, refused)
        record_refused(connection, name, refused, error)

    @property
    def _writers(self) -> dict[str, Callable[[Target, Sent, datetime], Write]]:
        kinds = ledger.BatchKind
        return {
            kinds.PREDICTIONS: self._prediction_writer,
            kinds.LABELS: self._label_writer,
            kinds.CORRECTION: self._correction_writer,
            kinds.DELETION: self._deletion_writer,
        }

    def _ingest(self, name: str, sent: Sent, kind: str) -> Receipt:
        """Write a batch and its log entry in one transaction; log a refused one in a transaction of its own."""
        try:
            return in_transaction(self.engine, self.prepare(name, sent, kind))
        except REFUSALS as error:
            refused = error
            in_transaction(self.engine, lambda connection: self.log_refusal(connection, name, sent, kind, refused))
            raise

    def _prediction_writer(self, target: Target, sent: Sent, now: datetime) -> Write:
        """Return the function that writes checked predictions within a transaction."""
        batch, sent_ids = _prediction_batch(target, sent, now, times_needed=target.spec.clock is not ModelClock.WALL)
        batch_id = batch_name("predictions", target, sent.key, batch.content_hash)
        _prepare(batch)

        def write(connection: Connection) -> Receipt:
            try:
                written = target.store.writer.write(connection, batch_id, batch, now)
            except PredictionConflict as error:
                raise with_rows(error, sent_ids, sent.content.rows_before) from error
            return Receipt(batch_id, batch.table.num_rows, written.new, written.same)

        return write

    def _correction_writer(self, target: Target, sent: Sent, now: datetime) -> Write:
        batch, _ = _prediction_batch(target, sent, now, times_needed=False)
        batch_id = batch_name("corrections", target, sent.key, batch.content_hash)

        def write(connection: Connection) -> Receipt:
            corrected = correct(connection, target.store.writer, batch_id, batch, now)
            return Receipt(batch_id, batch.table.num_rows, 0, corrected.same, corrected.changed)

        return write

    def _deletion_writer(self, target: Target, sent: Sent, now: datetime) -> Write:
        deletion = Deletion.of(sent.content, target.nested)
        batch_id = batch_name("deletions", target, sent.key, uuid4().hex)

        def write(connection: Connection) -> Receipt:
            return _delete(connection, target, batch_id, deletion, now, keyed=sent.key is not None)

        return write

    def _label_writer(self, target: Target, sent: Sent, now: datetime) -> Write:
        layout = target.layout(sent.content, sent.na_values, sent.option)
        sent_rows = _rows(sent.content, layout, LABEL_FIELDS, label_columns(layout))
        rows = label_rows(sent_rows.frame, layout, now, sent.content.rows_before)
        content = rows.content_hash
        batch_id = batch_name("labels", target, sent.key, content)

        def write(connection: Connection) -> Receipt:
            return _write_labels(connection, batch_id, target, rows.frame, now, content)

        return write


def _prediction_batch(
    target: Target, sent: Sent, now: datetime, *, times_needed: bool
) -> tuple[PredictionBatch, pa.ChunkedArray]:
    """Return the checked rows of a batch in the model's schema, and their ids in the order in which they were sent."""
    layout = target.layout(sent.content, sent.na_values, sent.option)
    sent_rows = _rows(sent.content, layout, PREDICTION_FIELDS, columns_read(layout))
    rows = prediction_rows(
        sent_rows, layout, target.version, now, times_needed=times_needed, rows_before=sent.content.rows_before
    )
    assumed = {MODEL_VERSION} if sent.version is None else set()
    batch = target.store.batch(rows.table, frozenset(assumed if rows.timed else assumed | {EVENT_TIME}))
    return batch, rows.table.column(ID)


def _delete(
    connection: Connection, target: Target, batch_id: str, deletion: Deletion, now: datetime, *, keyed: bool
) -> Receipt:
    """Erase what a deletion names; one without a key that finds nothing leaves nothing in the ledger."""
    if keyed and (number := _open_deletion(connection, target, batch_id, deletion, now)) is None:
        return Receipt(batch_id, 0, 0, 0)
    subjects = deletion.subjects(connection, target.store.writer)
    require_few_rows(subjects.rows)
    if not subjects.any_stored:
        return Receipt(batch_id, 0, 0, 0)
    if not keyed:
        number = _open_deletion(connection, target, batch_id, deletion, now)
    assert number is not None  # noqa: S101  (the id of a deletion without a key is new)
    erase(connection, number, target.model_number, subjects)
    return Receipt(batch_id, subjects.rows, 0, 0, subjects.rows)


def _open_deletion(
    connection: Connection, target: Target, batch_id: str, deletion: Deletion, now: datetime
) -> int | None:
    """Open the batch of a deletion; only the hash of the request is stored."""
    kind, content = ledger.BatchKind.DELETION, deletion.content_hash
    batch = ledger.Batch(batch_id, kind, content, 0, now, target.model_number)
    return ledger.open_batch(connection, batch, [ledger.Consumer.MONITOR])


def _prepare(batch: PredictionBatch) -> None:
    """Encode the ids before the transaction begins, which then holds its locks for a shorter time."""
    if batch.table.num_rows:
        _ = batch.id_rows


def _rows(content: Content, layout: IngestLayout, fields: Collection[str], columns: Collection[str]) -> SentRows:
    """Return the rows that were sent, with those of `columns` that they have."""
    if content.frame is not None:
        return SentRows(content.frame)
    if content.nested:
        return json_rows(content, tuple(fields), tuple(columns))
    return SentRows(flat_frame(content, tuple(columns), layout.codes, layout.na_values))


def _write_labels(
    connection: Connection, batch_id: str, target: Target, rows: pd.DataFrame, now: datetime, content: str
) -> Receipt:
    """Write labels, and count the new and the revised ones."""
    model_number, problem = target.model_number, target.spec.problem
    number = labels.write_batch(connection, batch_id, model_number, rows, now, content, problem=problem)
    if number is None:
        return Receipt(batch_id, len(rows), 0, len(rows))
    of_batch = (labels_table.c.model_number == model_number, labels_table.c.batch_number == number)
    revised = func.coalesce(func.sum(case((labels_table.c.revision > 1, 1), else_=0)), 0)
    written, changed = connection.execute(select(func.count(), revised).where(*of_batch)).one()
    return Receipt(batch_id, len(rows), int(written) - int(changed), len(rows) - int(written), int(changed))


def require_key(key: str | None) -> None:
    """Raise InvalidInput for a key that cannot be part of a batch id."""
    if key is not None and not _KEY.fullmatch(key):
        raise InvalidInput(
            f"An Idempotency-Key has 1 to {LONGEST_KEY} printable ASCII characters and no outer blanks, unlike {key!r}."
        )


def batch_name(kind: str, target: Target, key: str | None, content: str) -> str:
    """Return the id of a batch: the same for the same key, or without one for the same content."""
    return f"{kind}/{target.model_number}/" + (content if key is None else f"key/{key}")


@dataclass(frozen=True, slots=True)
class _Entry:
    """The part of a log entry that is known before the batch is read."""

    model_number: int
    received_at: datetime
    kind: str
    sent: Sent

    def stored(self, receipt: Receipt) -> IngestEntry:
        return replace(
            self._of(IngestState.STORED),
            batch_id=receipt.batch,
            rows_sent=receipt.rows,
            rows_new=receipt.new,
            rows_same=receipt.same,
            rows_changed=receipt.changed,
        )

    def refused(self, error: DriftlineError) -> IngestEntry:
        return replace(self._of(IngestState.REFUSED), reason=str(error))

    def _of(self, state: IngestState) -> IngestEntry:
        content, caller = self.sent.content, self.sent.caller
        number, received, kind = self.model_number, self.received_at, self.kind
        size = content.sent_bytes
        return IngestEntry(number, received, kind, state, content.format, size, caller=caller and caller[:64])
