"""Labels that were sent, checked: id, value, and the instant at which each became known. No I/O here."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from driftline.backtesting.input.rows import normalize
from driftline.backtesting.input.values.epochs import PER_SECOND, epoch_unit
from driftline.backtesting.input.values.instants import as_microseconds, microseconds
from driftline.clock import MAX_CLOCK_SKEW
from driftline.engine.catalogue import Problem
from driftline.engine.frames.columns import BoolArray, IntArray
from driftline.engine.results import ID, LABEL
from driftline.errors import InvalidInput
from driftline.ingest.rows.checked_columns import CheckedColumns
from driftline.ingest.rows.layouts import KNOWN_AT, IngestLayout
from driftline.store import bulk, ledger

COLUMNS = ("id", "value", KNOWN_AT)


def label_columns(layout: IngestLayout) -> tuple[str, ...]:
    """Return the columns that labels are read from."""
    return (layout.sources[ID], layout.sources.get(LABEL, LABEL), KNOWN_AT)


def _require_labelled(layout: IngestLayout) -> None:
    if LABEL not in layout.sources:
        raise InvalidInput(
            "The reference of this model has no labels, so that none can be compared with it; register a reference "
            "with labels as a new version."
        )


@dataclass(frozen=True)
class LabelRows:
    """Checked labels: a frame of id, value and known_at, and which rows came with the last."""

    frame: pd.DataFrame
    timed: BoolArray

    @property
    def content_hash(self) -> str:
        """The hash of the labels that were sent, in the order of ids, without instants that the sender left out."""
        sent = self.frame.assign(**{KNOWN_AT: self.frame[KNOWN_AT].where(self.timed)}).sort_values("id")
        return ledger.content_hash(bulk.encode(sent, COLUMNS if self.timed.any() else COLUMNS[:2]))


def label_rows(frame: pd.DataFrame, layout: IngestLayout, now: datetime, rows_before: int = 0) -> LabelRows:
    """Check the rows of a frame; a label without an instant is known from now on.

    Raises:
        InvalidInput: with every fault, by column.
    """
    _require_labelled(layout)
    names = label_columns(layout)
    if not len(frame):
        empty = pd.DataFrame({"id": [], "value": [], KNOWN_AT: pd.DatetimeIndex([], tz="UTC")})
        return LabelRows(empty, np.zeros(0, dtype=bool))
    missing = [name for name in names[:2] if name not in frame]
    if missing:
        available = ", ".join(map(str, frame.columns)) or "none"
        raise InvalidInput(f"Columns are missing: {', '.join(missing)}. Available of those of labels: {available}.")
    columns = CheckedColumns(normalize(frame, layout), layout, rows_before)
    ids = columns.collect(partial(columns.ids, names[0]))
    values = columns.collect(partial(_values, columns, names[1]))
    timed = _timed(columns)
    known_at = columns.collect(partial(_known_at, columns, timed, now))
    columns.require_no_faults()
    times = pd.DatetimeIndex(known_at.view("datetime64[us]"), tz="UTC")
    return LabelRows(pd.DataFrame({"id": ids.to_pandas(), "value": values, KNOWN_AT: times}), timed)


def _values(columns: CheckedColumns, source: str) -> object:
    """Return the labels as the problem has them: 0 or 1, a class, or a number."""
    spec = columns.layout.spec
    columns.require_present(source, columns.frame[source].isna().to_numpy(dtype=bool))
    if spec.problem is Problem.REGRESSION:
        return columns.numbers(source)
    binary = spec.problem is Problem.BINARY
    return (columns.binary_classes(source) if binary else columns.multiclass(source, spec.classes)).to_pandas()


def _timed(columns: CheckedColumns) -> BoolArray:
    """Return which labels came with the instant at which they became known."""
    if KNOWN_AT not in columns.frame:
        return np.zeros(columns.rows, dtype=bool)
    return columns.frame[KNOWN_AT].notna().to_numpy(dtype=bool)


def _known_at(columns: CheckedColumns, timed: BoolArray, now: datetime) -> IntArray:
    """Return in microseconds when labels became known; instants in the future are a fault."""
    times = np.full(columns.rows, as_microseconds(now), np.int64)
    if not timed.any():
        return times
    series = columns.frame[KNOWN_AT]
    unit = epoch_unit(series[timed])
    sent = series if timed.all() else _with_now(series, timed, unit, now.astimezone(columns.layout.spec.zone))
    times = microseconds(sent, columns.layout.spec.zone, columns.rows_before, unit)
    late = times > as_microseconds(now + MAX_CLOCK_SKEW)
    columns.refuse(KNOWN_AT, late, "more than 1 day in the future", "correct the clock or the time zone")
    return times


def _with_now(series: "pd.Series[Any]", timed: BoolArray, unit: str | None, now: datetime) -> "pd.Series[Any]":
    """Return instants as they were sent, where they were, and otherwise now in the same form."""
    if series.dtype.kind == "M":
        return series.where(timed, pd.Timestamp(now if series.dt.tz else now.replace(tzinfo=None)))
    if unit is not None:
        return series.where(timed, now.timestamp() * PER_SECOND[unit])
    return series.astype(object).where(timed, now.isoformat())
