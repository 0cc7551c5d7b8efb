"""What a tool says of a stream, chunk by chunk."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.detection.stream import Stream


@dataclass(frozen=True)
class Said:
    """What was said of one chunk: whether it is an alarm, and which columns were named as drifted."""

    alarm: bool
    columns: frozenset[str] = frozenset()


Voices = Mapping[str, Sequence[Said]]
"""What is said of each chunk in order, by what counts as an alarm ("alert", "warning")."""
Tool = Callable[[Sequence[Stream]], Sequence[Voices]]
"""Goes through streams that share a reference, all labels in, in the order given."""
