"""Deletions: the content of predictions and labels is erased for good, also where a correction had replaced it."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Table, bindparam, delete, select, tuple_, update

from driftline.clock import naive_utc
from driftline.engine.frames.columns import IntArray
from driftline.engine.results import EVENT_TIME, ID
from driftline.store import ledger
from driftline.store.rows import removed_rows as removed
from driftline.store.rows.archived import archived_rows
from driftline.store.rows.encoding import columnar
from driftline.store.rows.encoding.prediction_batch import OUTPUTS
from driftline.store.rows.removed_rows import BATCH, POSITION, place_keys
from driftline.store.rows.writing import derived_values
from driftline.store.rows.writing.corrections import delete_ids
from driftline.store.rows.writing.prediction_writer import IDS_AT_ONCE, PredictionWriter
from driftline.store.tables import batch_data, chunk_states, labels, ledger_slots, predictions, removed_rows
from driftline.store.tables import ledger as ledger_table
from driftline.store.version_key import VersionKey

PLACES_AT_ONCE = 2_000
_BLANKS = {pa.string(): "", pa.int64(): 0, pa.float64(): 0.0, columnar.INSTANT_TYPE: 0}
"""What an erased row has in columns that may not be null: an instant of 1970 lies in no chunk."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """What a deletion erases: predictions by id, labels by id, and places of rows that were corrected."""

    stored: pd.DataFrame
    label_ids: tuple[str, ...]
    replaced: pd.DataFrame

    @property
    def any_stored(self) -> bool:
        """Whether any row is stored."""
        return bool(len(self.stored) or self.label_ids or len(self.replaced))

    @property
    def rows(self) -> int:
        """How many rows are erased, those counted that only a label or an older content is left of."""
        return len({*self.stored[ID], *self.label_ids}) + len(self.replaced)


def subjects_of_ids(connection: Connection, writer: PredictionWriter, ids: Sequence[str]) -> Subjects:
    """Return the stored rows with some ids, and lock them."""
    stored = writer.places_of(connection, ids, lock=True)
    of_labels = tuple(str(row[0]) for row in _rows_with_ids(connection, labels, (labels.c.id,), writer.number, ids))
    columns = (removed_rows.c.batch_number, removed_rows.c.position)
    places = _rows_with_ids(connection, removed_rows, columns, writer.number, ids)
    return Subjects(stored, of_labels, _places(places))


def subjects_of_value(connection: Connection, writer: PredictionWriter, column: str, value: str | float) -> Subjects:
    """Return what is stored of the predictions that have a value in a feature, and lock it.

    Every batch of the model is looked at. Rows that a correction has given another value are not subjects, but what
    they were before is erased. A correction that is committed during the scan moves rows to its own batch: such batches
    are looked at, too, until there is none that has not been. A row that was found is locked, so it moves no more.
    """
    places = _places([])
    scanned: set[int] = set()
    while new := _unscanned(connection, writer.number, scanned):
        scanned |= new
        of_new = _places(_places_with(connection, writer.number, sorted(new), column, value))
        places = pd.concat([places, of_new]).drop_duplicates(ignore_index=True)
        present = _rows_at_places(connection, predictions, writer.number, places, (predictions.c[ID],))
        subjects = subjects_of_ids(connection, writer, [str(row[0]) for row in present])
    if places.empty:
        return Subjects(writer.places_of(connection, []), (), places)
    return _with_value(connection, writer, subjects, places)


def _with_value(connection: Connection, writer: PredictionWriter, locked: Subjects, places: pd.DataFrame) -> Subjects:
    """Return those of the locked subjects that are at some places, and the rows there that are corrected."""
    has_value = np.isin(_keys(locked.stored), _keys(places))
    ids = locked.stored[ID][has_value].tolist()
    subjects = locked if has_value.all() else subjects_of_ids(connection, writer, ids)
    columns = (removed_rows.c.batch_number, removed_rows.c.position)
    replaced = _places(_rows_at_places(connection, removed_rows, writer.number, places, columns))
    every = pd.concat([subjects.replaced, replaced]).drop_duplicates(ignore_index=True)
    return Subjects(subjects.stored, subjects.label_ids, every)


def erase(connection: Connection, number: int, model_number: int, subjects: Subjects) -> None:
    """Erase subjects in the transaction of their batch: from the blobs, the labels and every row with their ids.

    The stored summaries of their chunks, which may contain their values, are deleted too; the next poll computes them
    again. Their ids and values in the ingest log and in the reasons of results are deleted too.
    """
    stored = subjects.stored
    places = pd.concat([stored[[BATCH, POSITION]], subjects.replaced], ignore_index=True)
    delete_ids(connection, model_number, stored[ID].tolist())
    _delete_labels(connection, model_number, subjects.label_ids)
    removed.remove(connection, model_number, stored.assign(id=None), number)
    _forget_ids(connection, subjects.replaced)
    ledger.touch_changed(connection, number, model_number, [(stored, -1)])
    for batch_number, group in places.groupby(BATCH):
        _blank(connection, int(str(batch_number)), group[POSITION].to_numpy(np.int64))
    spans = _spans(connection, stored, subjects.replaced)
    _delete_summaries(connection, model_number, spans)
    derived_values.erase_examples(connection, model_number, spans)
    derived_values.erase_from_log(connection, model_number, {*stored[ID], *subjects.label_ids})


def _rows_with_ids(
    connection: Connection, table: Table, columns: Sequence[object], model_number: int, ids: Sequence[str]
) -> Iterator[Sequence[object]]:
    """Yield columns of the rows with some ids, locked."""
    ordered = sorted(ids, key=str.encode)
    for first in range(0, len(ordered), IDS_AT_ONCE):
        is_selected = table.c.id.in_(ordered[first : first + IDS_AT_ONCE])
        statement = select(*columns).where(table.c.model_number == model_number, is_selected).with_for_update()  # type: ignore[call-overload]
        yield from connection.execute(statement)


def _rows_at_places(
    connection: Connection, table: Table, model_number: int, places: pd.DataFrame, columns: Sequence[object]
) -> list[Sequence[object]]:
    """Return columns of the rows of a table at some places."""
    rows: list[Sequence[object]] = []
    pairs = list(places.itertuples(index=False, name=None))
    for first in range(0, len(pairs), PLACES_AT_ONCE):
        is_selected = tuple_(table.c.batch_number, table.c.position).in_(pairs[first : first + PLACES_AT_ONCE])
        rows += connection.execute(select(*columns).where(table.c.model_number == model_number, is_selected)).all()  # type: ignore[call-overload]
    return rows


def _places(rows: Iterable[Sequence[object]]) -> pd.DataFrame:
    """Return places as a frame of batch numbers and positions."""
    return pd.DataFrame([tuple(row) for row in rows], columns=[BATCH, POSITION], dtype=np.int64)


def _keys(places: pd.DataFrame) -> IntArray:
    return place_keys(places[BATCH].to_numpy(np.int64), places[POSITION].to_numpy(np.int64))


def _unscanned(connection: Connection, model_number: int, scanned: Collection[int]) -> set[int]:
    """Return the batches of a model that have not been looked at; later ones only if they may have moved a row."""
    of_model = ledger_table.c.model_number == model_number
    kinds = [ledger.BatchKind.CORRECTION] if scanned else ledger.KINDS_WITH_ROWS
    numbers = connection.execute(select(ledger_table.c.number).where(of_model, ledger_table.c.kind.in_(kinds)))
    return {*numbers.scalars()}.difference(scanned)


def _places_with(
    connection: Connection, model_number: int, batches: Iterable[int], column: str, value: str | float
) -> Iterator[tuple[int, int]]:
    """Yield the places of the rows of some batches, and of all archived ones, with a value in a feature.

    Corrected rows are included; erased rows have no value. Rows that are archived meanwhile may come twice.
    """
    for number in batches:
        parts = select(batch_data.c.first_position, batch_data.c.data).where(batch_data.c.batch_number == number)
        for first, data in connection.execute(parts):
            yield from ((number, first + position) for position in _positions_with(data, column, value))
    yield from archived_rows.of_model(connection, model_number).places_with(column, value)


def _positions_with(data: bytes, column: str, value: str | float) -> list[int]:
    """Return which rows of a blob have a value in a column, which alone is decoded."""
    table = columnar.decode(data, [column])
    if not table.num_columns or pa.types.is_string(table.column(0).type) != isinstance(value, str):
        return []
    return [int(place) for place in np.flatnonzero(pc.fill_null(pc.equal(table.column(0), value), False).to_numpy())]


def _spans(connection: Connection, stored: pd.DataFrame, replaced: pd.DataFrame) -> set[tuple[datetime, datetime]]:
    """Return the first and last events of the rows, and of the blobs with rows that were corrected."""
    spans = {(at, at) for at in map(naive_utc, pd.DatetimeIndex(stored[EVENT_TIME].unique()).to_pydatetime())}
    for number, group in replaced.groupby(BATCH):
        spans |= set(_spans_of(connection, int(str(number)), group[POSITION]))
    return spans


def _delete_summaries(connection: Connection, model_number: int, spans: derived_values.Spans) -> None:
    """Delete the stored summaries of the chunks that spans of events touch."""
    summaries = chunk_states.c
    of_model = select(summaries.model_version, summaries.chunk_start, summaries.chunk_end).where(
        summaries.model_number == model_number
    )
    for version, start, end in connection.execute(of_model.distinct()).all():
        if any(first < end and last >= start for first, last in spans):
            of_version = VersionKey(model_number, version).rows_of(chunk_states)
            of_chunk = (summaries.chunk_start == start) & (summaries.chunk_end == end)
            connection.execute(delete(chunk_states).where(of_version, of_chunk))


def _spans_of(connection: Connection, number: int, positions: "pd.Series[int]") -> Iterator[tuple[datetime, datetime]]:
    """Yield spans of events that some rows of a batch lie in: those of their blobs, or of the batch if it is archived.

    A span begins with the first event and ends with the last one, which may lie in the same instant.
    """
    part = batch_data.c
    times = select(part.first_event, part.last_event, part.first_position, part.row_count).where(
        part.batch_number == number, part.content == OUTPUTS
    )
    archived = positions
    for first_event, last_event, first, count in connection.execute(times):
        inside = archived.between(first, first + count - 1)
        if inside.any():
            archived = archived[~inside]
            yield first_event, last_event
    if len(archived):
        slots = connection.execute(select(ledger_slots.c.slot).where(ledger_slots.c.batch_number == number)).scalars()
        yield from ((slot, slot + pd.Timedelta(ledger.SLOT)) for slot in slots)


def _delete_labels(connection: Connection, model_number: int, ids: Sequence[str]) -> None:
    for first in range(0, len(ids), IDS_AT_ONCE):
        is_selected = labels.c.id.in_(ids[first : first + IDS_AT_ONCE])
        connection.execute(delete(labels).where(labels.c.model_number == model_number, is_selected))


def _forget_ids(connection: Connection, places: pd.DataFrame) -> None:
    """Erase the ids of corrected rows, which are erased with them."""
    rows = [{"number": int(number), "row": int(position)} for number, position in places.itertuples(index=False)]
    if rows:
        place = removed_rows.c.batch_number == bindparam("number"), removed_rows.c.position == bindparam("row")
        connection.execute(update(removed_rows).where(*place).values(id=None), rows)


def _blank(connection: Connection, number: int, positions: IntArray) -> None:
    """Rewrite the blobs of a batch without the content of some rows; the positions of all rows stay.

    Each blob is locked before it is read: another deletion of the same batch waits.
    """
    keys = (batch_data.c.content, batch_data.c.first_position, batch_data.c.row_count)
    parts = connection.execute(select(*keys).where(batch_data.c.batch_number == number).order_by(*keys[:2])).all()
    for content, first, count in parts:
        inside = positions[(positions >= first) & (positions < first + count)] - first
        if not len(inside):
            continue
        part = (
            (batch_data.c.batch_number == number)
            & (batch_data.c.content == content)
            & (batch_data.c.first_position == first)
        )
        data = connection.execute(select(batch_data.c.data).where(part).with_for_update()).scalar()
        if data is None:  # it was archived meanwhile, and the object is written again without the rows
            continue
        blank = columnar.encode(_without_content(columnar.decode(data), inside))
        connection.execute(update(batch_data).where(part).values(data=blank))


def _without_content(table: pa.Table, positions: IntArray) -> pa.Table:
    """Return a table with nothing in some rows: null, or a blank where a column may not be null."""
    erased = np.zeros(table.num_rows, dtype=bool)
    erased[positions] = True
    mask = pa.array(erased)
    columns = []
    for field in table.schema:
        blank = pa.scalar(None if field.nullable else _BLANKS[field.type], field.type)
        columns.append(pc.if_else(mask, blank, table.column(field.name)))
    return pa.Table.from_arrays(columns, schema=table.schema)
