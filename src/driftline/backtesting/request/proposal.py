"""Proposals for the end of the reference and for the cut, where the request has none. No I/O here."""

import numpy as np
import pandas as pd

from driftline.backtesting.inference import Inference
from driftline.backtesting.input.rows import Rows, read_all
from driftline.backtesting.input.sources.sources import TableSource
from driftline.backtesting.input.split import Split
from driftline.backtesting.input.values.instants import as_datetime, as_microseconds, instant
from driftline.backtesting.input.values.outlying_times import reject_outlying
from driftline.backtesting.request.chunking import ENOUGH_CHUNKS, Cut
from driftline.backtesting.request.inference.problem import MOST_CLASSES
from driftline.backtesting.request.resolved import ResolvedRequest
from driftline.engine.catalogue import Problem
from driftline.engine.chunking.chunks import split_by_chunk
from driftline.engine.frames.columns import IntArray, coded
from driftline.engine.results import EVENT_TIME
from driftline.engine.spec import Period, Spec
from driftline.errors import InvalidInput

_LONGEST_FIRST = (Period.MONTH, Period.WEEK, Period.DAY, Period.HOUR)
_SHARE = 3
"""The proposed reference holds one row in this many."""
_SHORTEST_FIRST = (Period.HOUR, Period.DAY, Period.WEEK, Period.MONTH, Period.QUARTER)
_FALLBACK_CHUNKS = 20
_FALLBACK_ROWS = 100
_FALLBACK_CLASS_ROWS = 15
"""The least rows, and rows of the rarer class, of chunks of equal size, where no period has enough."""
ENOUGH_ROWS = 500
"""A proposed period has at least this many rows in the median chunk of the reference."""
ENOUGH_CLASS_ROWS = 25
"""And this many of the rarer class: then fewer than 10 are rare (Poisson: one chunk in 5,000)."""


def propose_until(source: TableSource, request: ResolvedRequest) -> InvalidInput:
    """Return the error for a request without an end of the reference; its message proposes one from the event times."""
    parts = read_all(source, request, (request.timestamp,), lambda rows: (rows.times, rows.numbers))
    times = np.concatenate([part[0] for part in parts] or [np.array([], dtype=np.int64)])
    if not len(times):
        return InvalidInput("The data has no rows.")
    reject_outlying(times, np.concatenate([part[1] for part in parts]), request.timestamp, request.zone)
    times.sort()
    first, last = as_datetime(int(times[0])), as_datetime(int(times[-1]))
    proposed = _propose_instant(times, request)
    count = int(np.searchsorted(times, as_microseconds(instant(proposed, request.zone))))
    return InvalidInput(
        f"Pass {request.option('reference_until')}: the end of the reference, the first instant that is not in it. "
        f"The events are from {first.isoformat()} to {last.isoformat()}; for example "
        f"{request.option('reference_until', proposed)} leaves {count:,} of {len(times):,} rows before it."
    )


def _propose_instant(times: IntArray, request: ResolvedRequest) -> str:
    """Return the last month or midnight before the end of the first third; that instant itself in a short file."""
    third = as_datetime(int(times[len(times) // _SHARE])).astimezone(request.zone)
    midnight = third.replace(hour=0, minute=0, second=0, microsecond=0)
    month = midnight.replace(day=1)
    for candidate in (month, midnight):
        count = int(np.searchsorted(times, as_microseconds(candidate)))
        if count * _SHARE * 2 >= len(times):
            return candidate.date().isoformat()
    return third.isoformat()


def propose_chunk(request: ResolvedRequest, reference: Rows, analysis: int) -> tuple[Cut, tuple[Inference, ...]]:
    """Return the requested cut; else the longest period of which the reference has enough chunks.

    `analysis` is the number of rows after the reference.
    """
    if request.cut is not None:
        return request.cut, ()
    rows = max(ENOUGH_ROWS, _rows_for_classes(request, reference, ENOUGH_CLASS_ROWS))
    span = (int(reference.times[-1]) - int(reference.times[0])) / 1_000_000
    for period in _LONGEST_FIRST:
        if span <= ENOUGH_CHUNKS * _SECONDS[period] * _MOST_PERIODS:
            sizes = _sizes(request, reference.times, period)
            if len(sizes) >= ENOUGH_CHUNKS and np.median(sizes) >= rows:
                rule = f"the longest period with {ENOUGH_CHUNKS} chunks of {rows:,} rows or more in the reference"
                return Cut(period=period), (Inference("chunk", period.value, rule),)
    rule = f"no period has {ENOUGH_CHUNKS} chunks of {rows:,} rows or more in the reference"
    least = max(_FALLBACK_ROWS, _rows_for_classes(request, reference, _FALLBACK_CLASS_ROWS))
    cut = Cut(count=max(1, min(_FALLBACK_CHUNKS, analysis // least)))
    return cut, (Inference("chunk", cut.text, rule),)


def _rows_for_classes(request: ResolvedRequest, reference: Rows, class_rows: int) -> int:
    """Return how many rows hold, on average, `class_rows` of the rarer of two classes; 0 without two classes."""
    names = [name for name in (request.label, request.prediction) if name]
    if not names or request.problem not in (None, Problem.BINARY):
        return 0
    codes, texts = coded(reference.frame[names[0]])
    counts = np.unique(codes[codes >= 0], return_counts=True)[1]
    if len(texts) > MOST_CLASSES or len(counts) != 2:
        return 0
    return int(np.ceil(class_rows * counts.sum() / counts.min()))


def propose_longer(request: ResolvedRequest, spec: Spec, cut: Cut, rows: Split, insufficient: int) -> Inference:
    """Return the note that most chunks have too little data, with the cut whose chunks would have enough."""
    least = max(spec.minimum_rows, _rows_for_classes(request, rows.reference, 2 * spec.minimum_class_rows))
    value = f"{insufficient:,} chunks of {cut.text} have too little data for a verdict"
    times = np.sort(rows.times)
    for period in _SHORTEST_FIRST:
        sizes = _sizes(request, times, period)
        if np.median(sizes) >= least and cut.period is not period:
            rule = f"{request.option('chunk', period.value)} gives chunks of about {int(np.median(sizes)):,} rows"
            return Inference("chunk", value, rule, notable=True)
    rule = f"{request.option('chunk', f'rows:{least}')} gives chunks of {least:,} rows"
    return Inference("chunk", value, rule, notable=True)


_SECONDS = {Period.MONTH: 2_592_000, Period.WEEK: 604_800, Period.DAY: 86_400, Period.HOUR: 3_600}
_MOST_PERIODS = 1_000


def _sizes(request: ResolvedRequest, times: IntArray, period: Period) -> list[int]:
    """Return the number of rows of each chunk of a period, from sorted event times."""
    frame = pd.DataFrame({EVENT_TIME: pd.DatetimeIndex(times.view("datetime64[us]"), tz="UTC")})
    return [len(rows) for _, rows in split_by_chunk(frame, period, request.zone)]
