"""The shared horizontal axis of all charts: a column of equal width for each chunk. No I/O here."""

from collections.abc import Sequence
from dataclasses import dataclass

from driftline.engine.spec import Spec
from monitoring.report.advice import name
from monitoring.report.chunk_report import ChunkReport

WIDTH, LEFT, RIGHT = 1140.0, 226.0, 84.0
MOST_TICKS = 12


@dataclass(frozen=True, slots=True)
class Tick:
    """A label and where it stands, in the chart's own units."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Where chunks stand: `step` is the width of one, `names` are theirs."""

    step: float
    names: tuple[str, ...]

    @classmethod
    def of(cls, spec: Spec, chunks: Sequence[ChunkReport]) -> "Timeline":
        """Give every chunk a column."""
        return cls((WIDTH - LEFT - RIGHT) / max(len(chunks), 1), tuple(name(spec, report) for report in chunks))

    def left(self, place: int) -> float:
        """Give the left edge of a chunk's column."""
        return round(LEFT + place * self.step, 2)

    def middle(self, place: int) -> float:
        """Give the middle of a chunk's column."""
        return round(LEFT + (place + 0.5) * self.step, 2)

    @property
    def gap(self) -> float:
        """How much of a column stays free beside a cell."""
        return min(2.0, self.step / 5)

    @property
    def ticks(self) -> list[Tick]:
        """A readable number of labels."""
        every = -(-len(self.names) // MOST_TICKS) if self.names else 1
        return [Tick(self.middle(place), self.names[place]) for place in range(0, len(self.names), every)]
