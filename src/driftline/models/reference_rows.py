"""The rows of a reference: read from a file or frame, and shaped as they are stored."""

from typing import Any

import numpy as np
import pandas as pd

from driftline.backtesting.inference import Inference
from driftline.backtesting.input.repeats import RowIds, find_repeats, hash_rows
from driftline.backtesting.input.rows import Rows, concatenate, read_all
from driftline.backtesting.input.sources.sources import TableSource
from driftline.backtesting.input.split import Progress, columns_of
from driftline.backtesting.input.values.instants import as_microseconds
from driftline.backtesting.input.values.outlying_times import reject_outlying
from driftline.backtesting.request.layout import as_texts
from driftline.backtesting.request.resolved import ResolvedRequest
from driftline.engine.catalogue import ColumnKind
from driftline.engine.frames.columns import IntArray, as_floats
from driftline.engine.results import EVENT_TIME, ID
from driftline.engine.spec import Spec
from driftline.errors import InvalidInput


def read_reference_rows(
    source: TableSource, request: ResolvedRequest, progress: Progress
) -> tuple[Rows, tuple[Inference, ...]]:
    """Read the rows before the end of the reference, by default all, each prediction once; return what was inferred.

    Raises:
        InvalidInput: there are none, or some event times do not belong with the others.
    """
    until = None if request.until is None else as_microseconds(request.until)
    columns = columns_of(request, source)

    def until_end(rows: Rows) -> tuple[Rows, int]:
        """Return the rows up to the end of the reference, copied if needed, and how many rows are later."""
        progress("reading", len(rows))
        used_rows = rows if until is None else rows.split(until)[0]
        copied = (
            used_rows
            if source.single_block
            else Rows(used_rows.frame.copy(), used_rows.times.copy(), used_rows.numbers.copy())
        )
        return copied, len(rows) - len(used_rows)

    read = read_all(source, request, columns, until_end)
    parts = [rows for rows, _ in read if len(rows)]
    if not parts:
        raise InvalidInput("The reference has no rows.")
    rows = concatenate(parts)
    reject_outlying(rows.times, rows.numbers, request.timestamp, request.zone)
    later = sum(count for _, count in read)
    notes = _later_note(later, request)
    if request.id is None:
        return rows, notes

    def content_of(numbers: IntArray) -> pd.Series:
        return hash_rows(rows, numbers)

    repeats = find_repeats(RowIds.of(rows, request.id, only_block=True), content_of)
    return repeats.remove(rows), (*notes, *repeats.notes(request.option))


def _later_note(later: int, request: ResolvedRequest) -> tuple[Inference, ...]:
    if request.until is None:
        return (Inference("reference", "all rows", f"there is no {request.option('reference_until')}"),)
    if not later:
        return ()
    value = f"{later:,} rows from its end on are not part of it"
    return (Inference("reference", value, "send them as predictions"),)


def engine_rows(shaped: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    """Return shaped rows in types that every file format has: text, floats, instants and ids; the content is the same.

    Columns of numbers are not copied.
    """
    kinds = {column.name: column.kind for column in (*spec.columns, *spec.output_columns)}
    columns: dict[str, Any] = {EVENT_TIME: shaped[EVENT_TIME].array, ID: _ids(shaped[ID])}
    for name, kind in kinds.items():
        categorical = kind is ColumnKind.CATEGORICAL
        columns[name] = as_texts(shaped[name]) if categorical else as_floats(shaped[name])
    return pd.DataFrame(columns, copy=False)


def _ids(ids: "pd.Series[Any]") -> Any:
    return ids.to_numpy() if np.issubdtype(np.asarray(ids.array).dtype, np.integer) else as_texts(ids)
