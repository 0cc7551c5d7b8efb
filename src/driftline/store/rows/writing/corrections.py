"""Corrections: other content for stored predictions. The rows that they replace stay in their batches, unread."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, delete

from driftline.engine.results import EVENT_TIME, ID
from driftline.errors import InvalidInput
from driftline.store import ledger
from driftline.store.rows import removed_rows
from driftline.store.rows.encoding.prediction_batch import PredictionBatch
from driftline.store.rows.encoding.prediction_schema import MODEL_VERSION
from driftline.store.rows.writing.prediction_writer import IDS_AT_ONCE, PredictionWriter, shown_ids
from driftline.store.tables import predictions


@dataclass(frozen=True, slots=True)
class Corrected:
    """How many rows of a correction changed a prediction, and how many had the content that is stored."""

    changed: int
    same: int


def correct(
    connection: Connection, writer: PredictionWriter, batch_id: str, batch: PredictionBatch, written_at: datetime
) -> Corrected:
    """Replace stored predictions through the ledger; the same batch sent again changes nothing.

    Of `batch.assumed` columns the stored values stay: a correction without event times keeps them. A prediction keeps
    its version too, which must be that of the batch unless the sender named one.

    Raises:
        InvalidInput: ids are not stored, or are of another version.
        BatchConflict: the batch id has other content.
    """
    rows = batch.table.num_rows
    number = writer.open(connection, batch_id, ledger.BatchKind.CORRECTION, batch, written_at)
    if number is None or not rows:
        return Corrected(0, rows)
    places = writer.places_of(connection, batch.table.column(ID).to_pylist(), lock=True)
    _require_stored(batch, places)
    differs = writer.differing(connection, batch, places)
    replaced = places[differs]
    if replaced.empty:
        return Corrected(0, rows)
    corrected = _corrected(batch, replaced)
    delete_ids(connection, writer.number, replaced[ID].tolist())
    writer.load_ids(connection, number, corrected)
    writer.insert_data(connection, number, corrected)
    removed_rows.remove(connection, writer.number, replaced, number)
    ledger.touch_changed(connection, number, writer.number, [(replaced, -1), (_times_of(corrected), 1)])
    return Corrected(len(replaced), rows - len(replaced))


def _require_stored(batch: PredictionBatch, places: pd.DataFrame) -> None:
    """Raise InvalidInput where ids are not stored, or where their version is another one than was assumed."""
    sent = batch.table.column(ID).to_pandas()
    unknown = sent[~sent.isin(places[ID])].tolist()
    faults = []
    if unknown:
        faults.append(f"{shown_ids(unknown)}: no such prediction is stored; send it as a prediction")
    if MODEL_VERSION in batch.assumed:
        version = batch.table.column(MODEL_VERSION)[0].as_py()
        for stored_version, ids in places[places[MODEL_VERSION] != version].groupby(MODEL_VERSION)[ID]:
            faults.append(
                f"{shown_ids(ids.tolist())}: of version {stored_version}, not {version}; "
                f"send it with version={stored_version}"
            )
    if faults:
        raise InvalidInput("The corrections are invalid; nothing was stored.", details=tuple(faults))


def _corrected(batch: PredictionBatch, replaced: pd.DataFrame) -> PredictionBatch:
    """Return the rows of the batch that replace stored ones, with the stored event times where none were sent."""
    sent = batch.table.column(ID).to_pandas()
    table = batch.table.take(pd.Index(sent).get_indexer(pd.Index(replaced[ID])))
    if EVENT_TIME in batch.assumed:
        place, kind = table.schema.get_field_index(EVENT_TIME), table.schema.field(EVENT_TIME)
        table = table.set_column(place, kind, pa.array(replaced[EVENT_TIME], kind.type))
    return PredictionBatch.of(table, batch.schema, batch.assumed)


def _times_of(batch: PredictionBatch) -> pd.DataFrame:
    """Return version and event time of each row."""
    times: pd.DataFrame = batch.table.select([MODEL_VERSION, EVENT_TIME]).to_pandas()
    return times


def delete_ids(connection: Connection, model_number: int, ids: Sequence[str]) -> None:
    """Delete the rows of `predictions` with these ids, in the order of the key."""
    ordered = sorted(ids, key=str.encode)
    for first in range(0, len(ordered), IDS_AT_ONCE):
        is_selected = predictions.c[ID].in_(ordered[first : first + IDS_AT_ONCE])
        connection.execute(delete(predictions).where(predictions.c.model_number == model_number, is_selected))
