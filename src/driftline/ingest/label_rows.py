"""Labels that were sent, checked: id, value, and the instant at which each became known. No I/O here."""

from datetime import datetime
from functools import partial

import numpy as np
import pandas as pd

from driftline.backtesting.input.epochs import epoch_unit
from driftline.backtesting.input.instants import as_microseconds, microseconds
from driftline.backtesting.input.rows import normalize
from driftline.clock import MAX_CLOCK_SKEW
from driftline.engine.catalogue import Problem
from driftline.engine.columns import IntArray
from driftline.engine.results import ID, LABEL
from driftline.errors import InvalidInput
from driftline.ingest.checked_columns import CheckedColumns
from driftline.ingest.layouts import KNOWN_AT, IngestLayout
from driftline.ingest.prediction_rows import REFUSED

COLUMNS = ("id", "value", KNOWN_AT)


def label_columns(layout: IngestLayout) -> tuple[str, ...]:
    """Return the columns of what was sent that labels are made of."""
    return (layout.sources[ID], layout.sources.get(LABEL, LABEL), KNOWN_AT)


def _require_labelled(layout: IngestLayout) -> None:
    if LABEL not in layout.sources:
        raise InvalidInput(
            "The reference of this model has no labels, so that none can be compared with it; register a reference "
            "with labels as a new version."
        )


def label_rows(frame: pd.DataFrame, layout: IngestLayout, now: datetime, rows_before: int = 0) -> pd.DataFrame:
    """Check the rows of a frame and return id, value and known_at; a label without an instant is known from now on.

    Raises:
        InvalidInput: with every fault, by column.
    """
    _require_labelled(layout)
    names = label_columns(layout)
    if not len(frame):
        return pd.DataFrame({"id": [], "value": [], KNOWN_AT: pd.DatetimeIndex([], tz="UTC")})
    missing = [name for name in names[:2] if name not in frame]
    if missing:
        available = ", ".join(map(str, frame.columns)) or "none"
        raise InvalidInput(f"Columns are missing: {', '.join(missing)}. Available of those of labels: {available}.")
    columns = CheckedColumns(normalize(frame, layout), layout, rows_before)
    ids = columns.collect(partial(columns.ids, names[0]))
    values = columns.collect(partial(_values, columns, names[1]))
    known = columns.collect(partial(_known_at, columns, now))
    if columns.faults:
        raise InvalidInput(REFUSED, details=tuple(columns.faults))
    times = pd.DatetimeIndex(known.view("datetime64[us]"), tz="UTC")
    return pd.DataFrame({"id": ids.to_pandas(), "value": values, KNOWN_AT: times})


def _values(columns: CheckedColumns, source: str) -> object:
    """Return the labels as the problem has them: 0 or 1, a class, or a number."""
    spec = columns.layout.spec
    if spec.problem is Problem.REGRESSION:
        values = columns.numbers(source)
        columns.require_present(source, np.isnan(values))
        return values
    binary = spec.problem is Problem.BINARY
    classes = columns.binary_classes(source) if binary else columns.multiclass(source, spec.classes)
    columns.require_present(source, np.asarray(classes.is_null(), dtype=bool))
    return classes.to_pandas()


def _known_at(columns: CheckedColumns, now: datetime) -> IntArray:
    """Return in microseconds when labels became known; instants in the future are a fault."""
    if KNOWN_AT not in columns.frame or columns.frame[KNOWN_AT].isna().all():
        return np.full(columns.rows, as_microseconds(now), np.int64)
    series = columns.frame[KNOWN_AT]
    times = microseconds(series, columns.layout.spec.zone, columns.rows_before, epoch_unit(series))
    late = times > as_microseconds(now + MAX_CLOCK_SKEW)
    columns.refuse(KNOWN_AT, late, "more than 1 day in the future", "correct the clock or the time zone")
    return times
