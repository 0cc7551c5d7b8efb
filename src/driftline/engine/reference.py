"""The reference of a model version, fitted: all that a chunk is held against, small enough to store. No I/O here."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from driftline.engine.catalogue import ColumnKind
from driftline.engine.chunks import by_chunk, by_sizes
from driftline.engine.columns import BoolArray, IntArray, as_floats, coded
from driftline.engine.fitted_methods import FittedMethods, require
from driftline.engine.outcomes import Key
from driftline.engine.results import EVENT_TIME, ID
from driftline.engine.segments import Fitted, FittedSegment, fit_segments
from driftline.engine.spec import ColumnSpec, Spec
from driftline.engine.tasks import Map, Task, call, serial_map
from driftline.engine.thresholds.limits import Limit, limits_from_list, limits_of, limits_to_list
from driftline.errors import InvalidInput

FORMAT = 5
"""The version of the JSON; a reference stored under another one must be fitted again."""


@dataclass(frozen=True, slots=True, eq=False)
class FittedReference:
    """The states of all methods, the limits of all numbers, and which rows they come from.

    `since` and `until` are the first and the last event (both included, UTC), `chunks` the number of chunks with rows.
    `content_hash` is the SHA-256 of the rows' content; it does not depend on their order. `segments` are
    by feature and value.
    """

    states: FittedMethods
    limits: Mapping[Key, Limit]
    rows: int
    since: datetime
    until: datetime
    chunks: int
    content_hash: str
    segments: Fitted = field(default_factory=dict)

    def to_json(self) -> str:
        """Return all of it as compact JSON; floats keep every digit."""
        segments = {feature: {v: own.to_dict() for v, own in parts.items()} for feature, parts in self.segments.items()}
        return json.dumps(
            {
                "format": FORMAT,
                "rows": self.rows,
                "since": self.since.isoformat(),
                "until": self.until.isoformat(),
                "chunks": self.chunks,
                "content_hash": self.content_hash,
                "limits": limits_to_list(self.limits),
                "states": self.states.to_dict(),
                "segments": segments,
            },
            separators=(",", ":"),
            allow_nan=False,
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return what `to_json` was made from; another format is an InvalidInput."""
        stored = json.loads(text)
        if stored.get("format") != FORMAT:
            msg = f"the fitted reference has format {stored.get('format')}, this version reads {FORMAT}; fit it again"
            raise InvalidInput(msg)
        return cls(
            states=FittedMethods.from_dict(stored["states"]),
            limits=limits_from_list(stored["limits"]),
            rows=stored["rows"],
            since=datetime.fromisoformat(stored["since"]),
            until=datetime.fromisoformat(stored["until"]),
            chunks=stored["chunks"],
            content_hash=stored["content_hash"],
            segments={
                feature: {value: FittedSegment.from_dict(own) for value, own in parts.items()}
                for feature, parts in stored["segments"].items()
            },
        )


def fit_reference(
    frame: pd.DataFrame, spec: Spec, sizes: Sequence[int] | None = None, mapper: Map = serial_map
) -> FittedReference:
    """Fit every method of `spec` on the reference, and bound each number by the reference's own chunks.

    `frame` has columns event_time (aware), id, the spec's features and its outputs: prediction, label (or missing), and
    scores. Those of a binary model are 0 or 1, 0 or 1, and probability_1; of a multiclass one its classes, and one
    probability_<class> each; of a regression numbers, without a score. Its order does not matter. No rows, or two with
    the same event time and id, are an InvalidInput; missing columns are a SchemaMismatch. With `sizes` the reference's
    chunks are not periods but have that many rows each, in the order of event time and id; they must add up to all
    rows. `mapper` may spread the work over cores.
    """
    require(frame, (EVENT_TIME, ID, *spec.features, *spec.outputs))
    if frame.empty:
        msg = "the reference has no rows; give it a window in which the model scored, at least 8 chunks long"
        raise InvalidInput(msg)
    ordered = _in_order(frame, distinct=True)
    work: list[Task] = [*FittedMethods.tasks(ordered, spec), partial(content_hash, ordered, spec)]
    *fitted, digest = mapper(call, work)
    states = FittedMethods.of(spec, fitted)
    cut = by_chunk(ordered, spec.period, spec.zone) if sizes is None else by_sizes(ordered, sizes)
    chunks = list(cut)
    times = ordered[EVENT_TIME]
    return FittedReference(
        states=states,
        limits=limits_of(states, spec, chunks, mapper),
        rows=len(ordered),
        since=times.iloc[0].to_pydatetime(warn=False).astimezone(UTC),
        until=times.iloc[-1].to_pydatetime(warn=False).astimezone(UTC),
        chunks=len(chunks),
        content_hash=digest,
        segments=fit_segments(ordered, spec, states, chunks, mapper),
    )


def content_hash(frame: pd.DataFrame, spec: Spec) -> str:
    """Return the SHA-256 of the content of scored rows (columns as in `fit_reference`), as hexadecimal digits.

    The order of rows and columns does not matter. Values are hashed as what they mean, not as they are stored: 1 and
    1.0 are the same, and so are None and NaN.
    """
    ordered = _in_order(frame)
    digest = hashlib.sha256()
    digest.update(_microseconds(ordered).tobytes())
    identity = ColumnSpec.model_construct(name=ID, kind=ColumnKind.CATEGORICAL)
    for column in (identity, *spec.columns, *spec.output_columns):
        digest.update(f"\n{column.name}:{column.kind}\n".encode())
        digest.update(_content(ordered[column.name], column.kind))
    return digest.hexdigest()


def _in_order(frame: pd.DataFrame, *, distinct: bool = False) -> pd.DataFrame:
    """Sort by event time and id, in UTC: nothing may depend on the order in which rows were read.

    With `distinct`, two rows of the same event time and id are an InvalidInput.
    """
    times = _microseconds(frame)
    order = np.argsort(times, kind="stable")
    tied = _tied(times[order])
    if tied.any():
        rows = order[tied]
        ids = pd.factorize(_texts_of(frame[ID].iloc[rows]), sort=True)[0]
        ranks = np.lexsort((ids, times[rows]))
        order[tied] = rows[ranks]
        twice = int(np.sum((np.diff(times[rows][ranks]) == 0) & (np.diff(ids[ranks]) == 0)))
        if distinct and twice:
            msg = f"{twice} rows of the reference have the event time and id of another one; give each prediction once"
            raise InvalidInput(msg)
    return frame if np.array_equal(order, np.arange(len(order))) else frame.iloc[order]


def _tied(ordered: IntArray) -> BoolArray:
    """Say which of these ascending numbers have an equal neighbour."""
    same: BoolArray = np.diff(ordered) == 0
    tied: BoolArray = np.append(same, False) | np.insert(same, 0, False)
    return tied


def _microseconds(frame: pd.DataFrame) -> IntArray:
    """Return the event times in whole microseconds since 1970, UTC."""
    if not len(frame):
        return np.empty(0, dtype=np.int64)
    times = frame[EVENT_TIME]
    if not isinstance(times.dtype, pd.DatetimeTZDtype):
        msg = f"event_time must be aware timestamps, best in UTC; it is {times.dtype}"
        raise InvalidInput(msg)
    return np.asarray(times.dt.as_unit("us").to_numpy("datetime64[us]"), dtype="datetime64[us]").view(np.int64)


def _texts_of(series: "pd.Series[Any]") -> "npt.NDArray[np.object_]":
    codes, texts = coded(series)
    return np.array([*texts, ""], dtype=object)[codes]


def _content(series: "pd.Series[Any]", kind: ColumnKind) -> bytes:
    if kind is ColumnKind.CONTINUOUS:
        raw = as_floats(series)
        return np.where(np.isnan(raw), np.nan, raw + 0.0).astype("<f8").tobytes()
    return _category_content(series)


def _category_content(series: "pd.Series[Any]") -> bytes:
    """Write the text of each row, one after the other, where each ends, and which rows have none."""
    texts = _texts_in_rows(series)
    _, ends, letters = texts.fill_null("").buffers()
    missing = np.asarray(texts.is_null()).tobytes()
    length = int(np.frombuffer(ends, dtype="<i8")[len(texts)])
    return missing + memoryview(ends)[: 8 * (len(texts) + 1)].tobytes() + memoryview(letters)[:length].tobytes()


def _texts_in_rows(series: "pd.Series[Any]") -> "pa.LargeStringArray":
    if series.dtype.kind in "iu" and isinstance(series.dtype, np.dtype):
        return pa.array(series.to_numpy()).cast(pa.large_string())
    codes, texts = coded(series)
    places = pa.array(codes, mask=codes < 0)
    return pa.DictionaryArray.from_arrays(places, pa.array(texts, pa.large_string())).dictionary_decode()
