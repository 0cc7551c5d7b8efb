"""Predictions that were sent, checked and in the model's schema. No I/O here."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from driftline.backtesting.input.rows import normalize
from driftline.backtesting.input.values.epochs import epoch_unit
from driftline.backtesting.input.values.instants import as_microseconds, microseconds
from driftline.clock import MAX_CLOCK_SKEW
from driftline.engine.catalogue import ColumnKind, Problem
from driftline.engine.frames.columns import BoolArray, FloatArray, IntArray
from driftline.engine.results import EVENT_TIME, ID, LABEL, PREDICTION
from driftline.engine.spec import Spec
from driftline.errors import InvalidInput
from driftline.ingest.rows.checked_columns import CheckedColumns
from driftline.ingest.rows.json_rows import SentRows
from driftline.ingest.rows.layouts import IngestLayout
from driftline.store.rows.encoding.columnar import INSTANT_TYPE
from driftline.store.rows.encoding.prediction_schema import MODEL_VERSION, SCORED_AT, PredictionSchema


@dataclass(frozen=True)
class PredictionRows:
    """Checked predictions: a table of the schema's columns, and whether the rows came with their event times."""

    table: pa.Table
    timed: bool


def columns_read(layout: IngestLayout) -> tuple[str, ...]:
    """Return the columns that predictions are read from."""
    return tuple(dict.fromkeys(source for name, source in layout.sources.items() if name != LABEL))


def prediction_rows(
    sent: SentRows, layout: IngestLayout, version: int, now: datetime, *, times_needed: bool, rows_before: int = 0
) -> PredictionRows:
    """Check rows and return them in the schema of the spec.

    Where no row has an event time and none is needed, the rows have that of now. A row without a prediction has the one
    that follows from its scores, unless it says that the prediction is missing.

    Raises:
        InvalidInput: with every fault, by column.
        TooMuchContent: texts are too long in all.
    """
    schema, frame = PredictionSchema(layout.spec).all, sent.frame
    if not len(frame):
        return PredictionRows(schema.empty_table(), timed=True)
    timed = layout.sources[EVENT_TIME] in frame
    optional = _optional(layout)
    _require_columns(frame, layout, optional, times_needed=times_needed and not timed)
    columns = CheckedColumns(normalize(frame, layout), layout, rows_before)
    for name in sent.lacking.keys() - optional:
        columns.require_sent(name, sent.lacking[name])
    times = columns.collect(lambda: _event_times(columns, now)) if timed else _now(now, len(frame))
    arrays = {ID: columns.collect(lambda: columns.ids(layout.sources[ID]))}
    arrays |= _outputs(columns, schema, sent.lacking.get(layout.sources.get(PREDICTION, "")))
    arrays |= {column.name: _feature(columns, column.name, column.kind) for column in layout.spec.columns}
    columns.require_no_faults()
    rows = len(frame)
    arrays[EVENT_TIME] = pa.array(times, pa.int64()).cast(INSTANT_TYPE)
    arrays[MODEL_VERSION] = pa.array(np.full(rows, version, np.int64))
    arrays[SCORED_AT] = pa.array(np.full(rows, as_microseconds(now), np.int64)).cast(INSTANT_TYPE)
    return PredictionRows(pa.Table.from_arrays([arrays[name] for name in schema.names], schema=schema), timed)


def _optional(layout: IngestLayout) -> set[str]:
    """Return the columns that a row may come without."""
    prediction = {layout.sources[PREDICTION]} if layout.spec.scores and PREDICTION in layout.sources else set()
    return {layout.sources[EVENT_TIME], *prediction}


def _require_columns(
    frame: pd.DataFrame, layout: IngestLayout, optional: Collection[str], *, times_needed: bool
) -> None:
    """Raise InvalidInput where a column is missing that every row has, and no row of these."""
    missing = [name for name in columns_read(layout) if name not in frame and name not in optional]
    if times_needed:
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
    times = microseconds(series, columns.layout.spec.zone, columns.rows_before, epoch_unit(series))
    limit = as_microseconds(now + MAX_CLOCK_SKEW)
    days = MAX_CLOCK_SKEW / timedelta(days=1)
    columns.refuse(name, times > limit, f"more than {days:g} day in the future", "correct the clock or the time zone")
    return times


def _outputs(columns: CheckedColumns, schema: pa.Schema, unpredicted: BoolArray | None) -> dict[str, pa.Array]:
    """Return the prediction and the scores; an output that the model does not have is null.

    `unpredicted` are the rows that came without a prediction, which others have.
    """
    layout, spec = columns.layout, columns.layout.spec
    source = layout.sources.get(PREDICTION, "")
    prediction = columns.collect(partial(_prediction, columns, source)) if source in columns.frame else None
    scores = {
        name: columns.collect(partial(columns.scores, layout.sources[name], _classes(prediction, spec)))
        for name in spec.scores
        if name in layout.sources
    }
    if (prediction is None or unpredicted is not None) and not columns.faults:
        predicted = _predicted(layout, scores, columns.rows, schema.field(PREDICTION).type)
        prediction = predicted if prediction is None else pc.if_else(pa.array(unpredicted), predicted, prediction)
    absent = {name: pa.nulls(columns.rows, schema.field(name).type) for name in spec.scores if name not in scores}
    numbers = {name: None if score is None else pa.array(score, from_pandas=True) for name, score in scores.items()}
    return {**absent, **numbers, PREDICTION: prediction}


def _prediction(columns: CheckedColumns, source: str) -> pa.Array:
    spec = columns.layout.spec
    if spec.problem is Problem.MULTICLASS:
        return columns.multiclass(source, spec.classes)
    if spec.problem is Problem.BINARY:
        return columns.binary_classes(source)
    return pa.array(columns.numbers(source), from_pandas=True)


def _classes(prediction: pa.Array | None, spec: Spec) -> FloatArray | None:
    """Return predictions of a binary model as numbers: a score may be the confidence in the predicted class."""
    if prediction is None or spec.problem is not Problem.BINARY:
        return None
    return np.asarray(prediction.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def _predicted(layout: IngestLayout, scores: Mapping[str, Any], rows: int, kind: pa.DataType) -> pa.Array:
    """Return the predictions that follow from the scores, if there are any."""
    if not scores or len(scores) < len(layout.spec.scores):
        return pa.nulls(rows, kind)
    return pa.Array.from_pandas(pd.Series(layout.layout.predict(scores)), type=kind)


def _feature(columns: CheckedColumns, name: str, kind: ColumnKind) -> pa.Array | None:
    source = columns.layout.sources[name]
    if kind is ColumnKind.CATEGORICAL:
        return columns.collect(lambda: columns.categories(source))
    return columns.collect(lambda: pa.array(columns.numbers(source), from_pandas=True))
