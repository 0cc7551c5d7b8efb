"""Holds what was said of streams against what is true of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Self

from benchmarks.detection.said import Said
from benchmarks.detection.stream import Truth

IN_TIME = 1
"""An alarm is in time up to so many chunks after the first that hurts."""
Heard = tuple[Truth, Sequence[Said]]
"""A stream's truth and what one voice said of it; of the last chunks nothing may have been said."""


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    hits: int
    of: int

    @classmethod
    def of_all(cls, answers: Iterable[bool]) -> Self:
        """Count how many answers are yes."""
        known = list(answers)
        return cls(sum(known), len(known))

    @property
    def value(self) -> float:
        """Give the share, 0 to 1; 0 of nothing is 0."""
        return self.hits / self.of if self.of else 0.0

    def __str__(self) -> str:
        """Show the share in percent and as counts."""
        return f"{100 * self.value:.0f} % ({self.hits}/{self.of})" if self.of else "–"


@dataclass(frozen=True)
class Score:
    """How one voice did.

    `in_time` are the drifts that hurt with an alarm up to `IN_TIME` chunks after they began to, `hurting` those with
    any alarm, `all` the drifts, whether they hurt or not, with any alarm. `delays` (chunks, sorted) count from the
    first chunk that hurts, 0 where the alarm was before; a drift not found has none. `false` are alarms on chunks that
    do not drift. `right` are alarms on drifts in columns that name one of them and no other feature.
    """

    in_time: Share
    hurting: Share
    all: Share
    delays: tuple[int, ...]
    false: Share
    right: Share

    @property
    def delay(self) -> float:
        """Give the median delay of those found."""
        return median(self.delays)


def score(heard: Sequence[Heard]) -> Score:
    """Score one voice over many streams."""
    drifts = [one for one in heard if any(one[0].drifts)]
    delays = [delay(*one) for one in drifts if any(one[0].hurts)]
    calm = [said for truth, whole in heard for said in _where(truth, whole, drifting=False)]
    named = [_right(truth, said) for truth, whole in drifts if truth.columns for said in _alarms(truth, whole)]
    return Score(
        in_time=Share.of_all(late is not None and late <= IN_TIME for late in delays),
        hurting=Share.of_all(late is not None for late in delays),
        all=Share.of_all(found(*one) for one in drifts),
        delays=tuple(sorted(late for late in delays if late is not None)),
        false=Share.of_all(said.alarm for said in calm),
        right=Share.of_all(named),
    )


def delay(truth: Truth, said: Sequence[Said]) -> int | None:
    """Give how many chunks after the first that hurts the first alarm is on a chunk that drifts; None without one."""
    chunks = enumerate(zip(truth.drifts, said, strict=False))
    first = next((place for place, (drifts, one) in chunks if drifts and one.alarm), None)
    return None if first is None else max(0, first - truth.hurts.index(True))


def found(truth: Truth, said: Sequence[Said]) -> bool:
    """Say whether there is an alarm on any chunk that drifts."""
    return bool(_alarms(truth, said))


def _alarms(truth: Truth, said: Sequence[Said]) -> list[Said]:
    return [one for one in _where(truth, said, drifting=True) if one.alarm]


def _where(truth: Truth, said: Sequence[Said], drifting: bool) -> list[Said]:
    chunks = list(zip(truth.drifts, said, strict=False))[truth.lead :]
    return [one for drifts, one in chunks if drifts is drifting]


def _right(truth: Truth, said: Said) -> bool:
    """Whether features are named, all of them right; what the model makes of them is not counted."""
    named = said.columns & truth.features
    return bool(named) and named <= truth.columns
