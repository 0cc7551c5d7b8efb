"""The alarms of a tool on a stream, chunk by chunk."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.detection.stream import Stream


@dataclass(frozen=True)
class ChunkAlarm:
    """Whether a tool alarms on one chunk, and the columns that it names as drifted."""

    alarm: bool
    columns: frozenset[str] = frozenset()


AlarmsByLevel = Mapping[str, Sequence[ChunkAlarm]]
"""The alarms on each chunk in order, by the level that counts as an alarm ("alert", "warning")."""
Tool = Callable[[Sequence[Stream]], Sequence[AlarmsByLevel]]
"""Evaluate streams that share a reference, with all labels, in order."""
