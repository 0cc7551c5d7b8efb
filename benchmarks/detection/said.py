"""What a tool says of a stream, day by day."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.detection.streams import Stream


@dataclass(frozen=True)
class Said:
    """What was said of one chunk: whether it is an alarm, and which columns were named as drifted."""

    alarm: bool
    columns: frozenset[str] = frozenset()


Detector = Callable[[Stream], Sequence[Said]]
"""Goes through a stream's analysis, a day a chunk, with all labels in; one `Said` for each day."""
