"""The fitted reference of a model version, which chunks are compared with; small enough to store. No I/O here."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from driftline.engine.catalogue import ColumnKind
from driftline.engine.chunking.chunks import Chunk, split_by_chunk, split_by_sizes
from driftline.engine.chunking.event_times import require_aware
from driftline.engine.chunking.partial_chunks import complete_chunks
from driftline.engine.computation.fitted_methods import FittedMethods, require
from driftline.engine.evaluation.segments import FittedSegment, FittedSegments, fit_segments
from driftline.engine.evidence.fitted import FittedEvidence
from driftline.engine.evidence.no_evidence import NoEvidence
from driftline.engine.evidence.problems import evidence_from_dict, fit_classifier, fit_regression
from driftline.engine.frames.columns import BoolArray, IntArray, as_floats, coded
from driftline.engine.outcome import ResultKey
from driftline.engine.performance.regression.performance import RegressionPerformance
from driftline.engine.results import EVENT_TIME, ID
from driftline.engine.spec import ColumnSpec, Period, Spec, ThresholdPolicy
from driftline.engine.tasks import Map, Task, call, serial_map
from driftline.engine.thresholds.fitted_bounds import FittedBounds, bounds_from_list, bounds_to_list, fit_bounds
from driftline.errors import InvalidInput

FORMAT = 6
"""The version of the JSON format; a reference stored in another one must be fitted again."""
EVIDENCE_RULES = 2
"""The version of the rules by which evidence is fitted: a reference that was stored under earlier ones stays readable,
but its alerts may exceed the budget, so a poll fits it again."""


@dataclass(frozen=True, slots=True, eq=False)
class FittedReference:
    """The fitted methods, the bounds of all numbers, and a description of the rows that they come from.

    `since` and `until` are the first and the last event (both included, UTC), `chunks` the number of chunks with rows.
    `content_hash` is the SHA-256 of the rows' content; it does not depend on their order. `segments` are by feature
    and value. `evidence` is the state for alerts within a budget; where the reference does not suffice it is None, and
    `no_evidence` has the reason, which is None too in a reference that was stored before reasons were.
    `evidence_rules` is the version of the rules that both follow.
    """

    methods: FittedMethods
    bounds: Mapping[ResultKey, FittedBounds]
    rows: int
    since: datetime
    until: datetime
    chunks: int
    content_hash: str
    segments: FittedSegments = field(default_factory=dict)
    evidence: FittedEvidence | None = None
    no_evidence: NoEvidence | None = None
    evidence_rules: int = EVIDENCE_RULES

    @property
    def is_current(self) -> bool:
        """Whether evidence was fitted by the rules of this version."""
        return self.evidence_rules == EVIDENCE_RULES

    def to_json(self) -> str:
        """Return the fitted reference as compact JSON; floats keep every digit."""
        segments = {
            feature: {value: segment.to_dict() for value, segment in parts.items()}
            for feature, parts in self.segments.items()
        }
        return json.dumps(
            {
                "format": FORMAT,
                "rows": self.rows,
                "since": self.since.isoformat(),
                "until": self.until.isoformat(),
                "chunks": self.chunks,
                "content_hash": self.content_hash,
                "bounds": bounds_to_list(self.bounds),
                "methods": self.methods.to_dict(),
                "segments": segments,
                "evidence": self.evidence.to_dict() if self.evidence else None,
                "no_evidence": self.no_evidence and self.no_evidence.reason,
                "evidence_rules": self.evidence_rules,
            },
            separators=(",", ":"),
            allow_nan=False,
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the reference that `to_json` serialized. Raises InvalidInput for another format."""
        return cls.from_dict(json.loads(text))

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Return the reference from its parsed JSON. Raises InvalidInput for another format."""
        if stored.get("format") != FORMAT:
            msg = f"the fitted reference has format {stored.get('format')}, this version reads {FORMAT}; fit it again"
            raise InvalidInput(msg)
        return cls(
            methods=FittedMethods.from_dict(stored["methods"]),
            bounds=bounds_from_list(stored["bounds"]),
            rows=stored["rows"],
            since=datetime.fromisoformat(stored["since"]),
            until=datetime.fromisoformat(stored["until"]),
            chunks=stored["chunks"],
            content_hash=stored["content_hash"],
            segments={
                feature: {value: FittedSegment.from_dict(segment) for value, segment in parts.items()}
                for feature, parts in stored["segments"].items()
            },
            evidence=evidence_from_dict(stored["evidence"]) if stored["evidence"] else None,
            no_evidence=NoEvidence(reason) if (reason := stored.get("no_evidence")) else None,
            evidence_rules=stored.get("evidence_rules", 1),
        )


def fit_reference(
    frame: pd.DataFrame, spec: Spec, sizes: Sequence[int] | None = None, mapper: Map = serial_map
) -> FittedReference:
    """Fit every method of `spec` on the reference, and draw the bounds of each number from the reference's chunks.

    `frame` has columns event_time (aware), id, the spec's features and its outputs: prediction, label (or missing), and
    scores. Predictions and labels of a binary model are 0 or 1, its score is probability_1; those of a multiclass model
    are its classes, with a score probability_<class> for each; a regression has numbers and no score. The order of the
    rows does not matter. With `sizes` the reference's chunks are not periods but have these numbers of rows, in the
    order of event time and id; sizes must add up to all rows. `mapper` may distribute the work over cores. Under policy
    `driftline` bounds are not drawn from partial periods at the ends of the reference.

    Raises InvalidInput without rows, or for rows with the same event time and id; SchemaMismatch for missing columns.
    """
    require(frame, (EVENT_TIME, ID, *spec.features, *spec.outputs))
    if frame.empty:
        msg = "the reference has no rows; choose a window in which the model scored, at least 8 chunks long"
        raise InvalidInput(msg)
    ordered = _in_order(frame, distinct=True)
    chunks = list(split_by_chunk(ordered, spec.period, spec.zone) if sizes is None else split_by_sizes(ordered, sizes))
    may_be_partial = sizes is None and spec.thresholds is ThresholdPolicy.DRIFTLINE
    bounding_chunks = complete_chunks(chunks) if may_be_partial else chunks
    lengths = [len(rows) for _, rows in chunks]
    days = _days([chunk for chunk, _ in chunks], spec, by_rows=sizes is not None)
    tasks: list[Task] = [
        *FittedMethods.tasks(ordered, spec),
        partial(content_hash, ordered, spec),
        partial(fit_classifier, ordered, spec, lengths, days),
    ]
    *outputs, digest, evidence = mapper(call, tasks)
    methods = FittedMethods.of(spec, outputs)
    if isinstance(methods.performance, RegressionPerformance):
        evidence = fit_regression(ordered, spec, methods.performance, lengths, days)
    times = ordered[EVENT_TIME]
    return FittedReference(
        methods=methods,
        bounds=fit_bounds(methods, spec, bounding_chunks, mapper),
        rows=len(ordered),
        since=times.iloc[0].to_pydatetime(warn=False).astimezone(UTC),
        until=times.iloc[-1].to_pydatetime(warn=False).astimezone(UTC),
        chunks=len(chunks),
        content_hash=digest,
        segments=fit_segments(ordered, spec, methods, bounding_chunks, mapper),
        **({"no_evidence": evidence} if isinstance(evidence, NoEvidence) else {"evidence": evidence}),
    )


def _days(chunks: Sequence[Chunk], spec: Spec, *, by_rows: bool) -> list[int] | None:
    """Return the day of each chunk as an ordinal in the spec's time zone; None where chunks are longer than a day.

    With `by_rows` chunks are numbers of rows, whose mean length decides.
    """
    if by_rows:
        are_longer = (chunks[-1].end - chunks[0].start) / len(chunks) > timedelta(days=1)
    else:
        are_longer = spec.period not in (Period.HOUR, Period.DAY)
    return None if are_longer else [chunk.start.astimezone(spec.zone).toordinal() for chunk in chunks]


def content_hash(frame: pd.DataFrame, spec: Spec) -> str:
    """Return the SHA-256 of the content of scored rows (columns as in `fit_reference`), as hexadecimal digits.

    The order of rows and columns does not matter, nor how values are stored: 1 and 1.0 are the same, and so are None
    and NaN.
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
    """Sort by event time (UTC) and id, so that results do not depend on the order in which rows were read.

    With `distinct`, raises InvalidInput for two rows of the same event time and id.
    """
    times = _microseconds(frame)
    order = np.argsort(times, kind="stable")
    tied = _tied(times[order])
    if tied.any():
        rows = order[tied]
        ids = pd.factorize(_texts_of(frame[ID].iloc[rows]), sort=True)[0]
        ranks = np.lexsort((ids, times[rows]))
        order[tied] = rows[ranks]
        repeated = int(np.sum((np.diff(times[rows][ranks]) == 0) & (np.diff(ids[ranks]) == 0)))
        if distinct and repeated:
            msg = (
                f"{repeated} rows of the reference have the event time and id of another row; pass each prediction once"
            )
            raise InvalidInput(msg)
    return frame if np.array_equal(order, np.arange(len(order))) else frame.iloc[order]


def _tied(ordered: IntArray) -> BoolArray:
    """Return a mask of the ascending numbers that have an equal neighbor."""
    same: BoolArray = np.diff(ordered) == 0
    tied: BoolArray = np.append(same, False) | np.insert(same, 0, False)
    return tied


def _microseconds(frame: pd.DataFrame) -> IntArray:
    """Return the event times in whole microseconds since 1970, UTC."""
    if not len(frame):
        return np.empty(0, dtype=np.int64)
    times = frame[EVENT_TIME]
    require_aware(times)
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
    """Return a mask of the rows without a text, the end of each text, and the texts of all rows."""
    texts = _texts_in_rows(series)
    _, ends, letters = texts.fill_null("").buffers()
    missing = np.asarray(texts.is_null()).tobytes()
    length = int(np.frombuffer(ends, dtype="<i8")[len(texts)])
    return missing + memoryview(ends)[: 8 * (len(texts) + 1)].tobytes() + memoryview(letters)[:length].tobytes()


def _texts_in_rows(series: "pd.Series[Any]") -> "pa.LargeStringArray":
    if series.dtype.kind in "iu" and isinstance(series.dtype, np.dtype):
        return pa.array(series.to_numpy()).cast(pa.large_string())
    codes, texts = coded(series)
    indices = pa.array(codes, mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(texts, pa.large_string())).dictionary_decode()
