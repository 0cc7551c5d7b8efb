"""Predictions that were sent, checked and in the model's schema. No I/O here."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa

from driftline.backtesting.input.epochs import epoch_unit
from driftline.backtesting.input.instants import as_microseconds, microseconds
from driftline.backtesting.input.rows import normalize
from driftline.backtesting.request.scales import PROBABILITY_SCALE
from driftline.clock import MAX_CLOCK_SKEW
from driftline.engine.catalogue import ColumnKind, Problem
from driftline.engine.columns import IntArray
from driftline.engine.results import EVENT_TIME, ID, LABEL, PREDICTION
from driftline.engine.spec import ModelClock
from driftline.errors import InvalidInput
from driftline.ingest.checked_columns import CheckedColumns
from driftline.ingest.layouts import IngestLayout
from driftline.store.columnar import INSTANT_TYPE
from driftline.store.prediction_schema import MODEL_VERSION, SCORED_AT, PredictionSchema

REFUSED = "The rows are invalid; nothing was stored."


@dataclass(frozen=True)
class PredictionRows:
    """Checked predictions: a table of the schema's columns, and whether the rows came with their event times."""

    table: pa.Table
    timed: bool


def columns_read(layout: IngestLayout) -> tuple[str, ...]:
    """Return the columns of what was sent that predictions are made of."""
    return tuple(dict.fromkeys(source for name, source in layout.sources.items() if name != LABEL))


def prediction_rows(frame: pd.DataFrame, layout: IngestLayout, version: int, now: datetime) -> PredictionRows:
    """Check the rows of a frame and return them in the schema of the spec; `frame` has the columns that were sent.

    A row without an event time was made now, if no row has one and the model's clock is the wall's.

    Raises:
        InvalidInput: with every fault, by column.
        TooMuchContent: texts are too long in all.
    """
    if not len(frame):
        return PredictionRows(PredictionSchema(layout.spec).all.empty_table(), timed=True)
    timed = layout.sources[EVENT_TIME] in frame
    _require_columns(frame, layout, timed)
    columns = CheckedColumns(normalize(frame, layout), layout)
    times = columns.collect(lambda: _event_times(columns, now)) if timed else _now(now, len(frame))
    arrays = {ID: columns.collect(lambda: columns.ids(layout.sources[ID]))}
    arrays |= _outputs(columns)
    arrays |= {column.name: _feature(columns, column.name, column.kind) for column in layout.spec.columns}
    if columns.faults:
        raise InvalidInput(REFUSED, details=tuple(columns.faults))
    rows = len(frame)
    arrays[EVENT_TIME] = pa.array(times, pa.int64()).cast(INSTANT_TYPE)
    arrays[MODEL_VERSION] = pa.array(np.full(rows, version, np.int64))
    arrays[SCORED_AT] = pa.array(np.full(rows, as_microseconds(now), np.int64)).cast(INSTANT_TYPE)
    schema = PredictionSchema(layout.spec).all
    return PredictionRows(pa.Table.from_arrays([arrays[name] for name in schema.names], schema=schema), timed)


def _require_columns(frame: pd.DataFrame, layout: IngestLayout, timed: bool) -> None:
    """Raise InvalidInput where a column is missing that every batch has."""
    read = columns_read(layout)
    missing = [name for name in read if name not in frame and name != layout.sources[EVENT_TIME]]
    if not timed and layout.spec.clock is not ModelClock.WALL:
        missing.insert(0, layout.sources[EVENT_TIME])
    if missing:
        available = ", ".join(map(str, frame.columns)) or "none"
        raise InvalidInput(
            f"Columns are missing: {', '.join(missing)}. Available of those that the model has: {available}. "
            "Send every column; a row without a value has null, or an empty field."
        )


def _now(now: datetime, rows: int) -> IntArray:
    return np.full(rows, as_microseconds(now), np.int64)


def _event_times(columns: CheckedColumns, now: datetime) -> IntArray:
    """Return the event times in microseconds; those in the future are a fault."""
    name = columns.layout.sources[EVENT_TIME]
    series = columns.frame[name]
    times = microseconds(series, columns.layout.spec.zone, 0, epoch_unit(series))
    limit = as_microseconds(now + MAX_CLOCK_SKEW)
    days = MAX_CLOCK_SKEW / timedelta(days=1)
    columns.refuse(name, times > limit, f"more than {days:g} day in the future", "correct the clock or the time zone")
    return times


def _outputs(columns: CheckedColumns) -> dict[str, pa.Array]:
    """Return the prediction and the scores; null where the model has none, and the prediction made of the scores."""
    layout = columns.layout
    source, spec = layout.sources.get(PREDICTION), layout.spec
    prediction = None if source is None else columns.collect(lambda: _prediction(columns, source))
    scores = {name: columns.collect(partial(_score, columns, name, prediction)) for name in spec.scores}
    if source is None:
        prediction = _prediction_of_scores(columns, scores)
    return scores | {PREDICTION: prediction}


def _score(columns: CheckedColumns, name: str, prediction: pa.Array | None) -> pa.Array:
    """Return the scores of one class: probabilities, or, by the scale of the reference, what its order means."""
    layout = columns.layout.layout
    source = columns.layout.sources.get(name)
    if source is None:
        return pa.nulls(columns.rows, pa.float64())
    if layout.scale == PROBABILITY_SCALE:
        return pa.array(columns.probabilities(source))
    values = columns.numbers(source)
    columns.require_present(source, np.isnan(values))
    known = np.full(columns.rows, np.nan) if prediction is None else np.asarray(prediction, dtype=np.float64)
    return pa.array(layout.scale.probabilities(values, known))


def _prediction_of_scores(columns: CheckedColumns, scores: dict[str, pa.Array]) -> pa.Array | None:
    """Return the predictions that the layout's rule makes of the scores; null where there are no scores either."""
    layout = columns.layout.layout
    kind = PredictionSchema(layout.spec).all.field(PREDICTION).type
    if not layout.predicts:
        return pa.nulls(columns.rows, kind)
    if any(array is None for array in scores.values()):
        return None
    made = layout.predict({name: np.asarray(array, dtype=np.float64) for name, array in scores.items()})
    return pa.Array.from_pandas(pd.Series(made).astype(object), type=kind)


def _prediction(columns: CheckedColumns, source: str) -> pa.Array:
    spec = columns.layout.spec
    if spec.problem is Problem.MULTICLASS:
        return columns.multiclass(source, spec.classes)
    if spec.problem is Problem.BINARY:
        return pa.array(columns.binary_classes(source))
    values = columns.numbers(source)
    columns.require_present(source, np.isnan(values))
    return pa.array(values)


def _feature(columns: CheckedColumns, name: str, kind: ColumnKind) -> pa.Array | None:
    source = columns.layout.sources[name]
    if kind is ColumnKind.CATEGORICAL:
        return columns.collect(lambda: columns.categories(source))
    return columns.collect(lambda: pa.array(columns.numbers(source), from_pandas=True))
