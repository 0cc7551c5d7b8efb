"""Compares the alarms on streams with the truth."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Self

from benchmarks.detection.alarms import ChunkAlarm
from benchmarks.detection.stream import Truth

IN_TIME = 1
"""An alarm is in time up to this many chunks after the first harmful one."""
JudgedStream = tuple[Truth, Sequence[ChunkAlarm]]
"""A stream's truth and the alarms of one level on it; the last chunks may not have been evaluated."""


@dataclass(frozen=True)
class Share:
    """A number of hits out of a total."""

    hits: int
    of: int

    @classmethod
    def of_all(cls, answers: Iterable[bool]) -> Self:
        """Count how many answers are true."""
        listed = list(answers)
        return cls(sum(listed), len(listed))

    @property
    def value(self) -> float:
        """Return the share, 0 to 1; 0 out of 0 is 0."""
        return self.hits / self.of if self.of else 0.0

    def __str__(self) -> str:
        """Return the share in percent and as counts."""
        return f"{100 * self.value:.0f} % ({self.hits}/{self.of})" if self.of else "–"


@dataclass(frozen=True)
class Score:
    """The score of one level.

    `in_time` are the harmful drifts with an alarm up to `IN_TIME` chunks after the first harmful one, `harmful` those
    with any alarm, `all` all drifts with any alarm, harmful or not. `delays` (chunks, sorted) count from the first
    harmful chunk, 0 for an earlier alarm; a drift without an alarm has none. `false` are alarms on chunks without
    drift. `right` are alarms on drifts in columns that name a drifted feature and no other.
    """

    in_time: Share
    harmful: Share
    all: Share
    delays: tuple[int, ...]
    false: Share
    right: Share

    @property
    def delay(self) -> float:
        """Return the median delay of the detected drifts."""
        return median(self.delays)


def score(judged: Sequence[JudgedStream]) -> Score:
    """Score one level over many streams."""
    drifts = [stream for stream in judged if any(stream[0].drifts)]
    delays = [delay(*stream) for stream in drifts if any(stream[0].harmful)]
    calm = [alarm for stream in judged for alarm in _where(*stream, drifting=False)]
    named = [_right(truth, alarm) for truth, alarms in drifts if truth.columns for alarm in _alarms(truth, alarms)]
    return Score(
        in_time=Share.of_all(late is not None and late <= IN_TIME for late in delays),
        harmful=Share.of_all(late is not None for late in delays),
        all=Share.of_all(is_detected(*stream) for stream in drifts),
        delays=tuple(sorted(late for late in delays if late is not None)),
        false=Share.of_all(chunk.alarm for chunk in calm),
        right=Share.of_all(named),
    )


def delay(truth: Truth, alarms: Sequence[ChunkAlarm]) -> int | None:
    """Return how many chunks after the first harmful one a drifted chunk alarms first; None without an alarm."""
    chunks = enumerate(zip(truth.drifts, alarms, strict=False))
    first = next((place for place, (drifts, chunk) in chunks if drifts and chunk.alarm), None)
    return None if first is None else max(0, first - truth.harmful.index(True))


def is_detected(truth: Truth, alarms: Sequence[ChunkAlarm]) -> bool:
    """Return whether there is an alarm on any drifted chunk."""
    return bool(_alarms(truth, alarms))


def _alarms(truth: Truth, alarms: Sequence[ChunkAlarm]) -> list[ChunkAlarm]:
    return [chunk for chunk in _where(truth, alarms, drifting=True) if chunk.alarm]


def _where(truth: Truth, alarms: Sequence[ChunkAlarm], drifting: bool) -> list[ChunkAlarm]:
    chunks = list(zip(truth.drifts, alarms, strict=False))[truth.lead :]
    return [chunk for drifts, chunk in chunks if drifts is drifting]


def _right(truth: Truth, chunk: ChunkAlarm) -> bool:
    """Return whether features are named and all of them drifted; the model's outputs do not count."""
    named = chunk.columns & truth.features
    return bool(named) and named <= truth.columns
