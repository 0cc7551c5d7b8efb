"""Stores texts and bounds that many results intern once, to save memory. No I/O here."""

from dataclasses import dataclass, field, replace
from typing import Any

from driftline.engine.results import Result
from driftline.monitor import EvaluatedChunk


@dataclass(frozen=True, slots=True)
class Compaction:
    """Keeps one copy of equal texts and bounds; results from other processes each have their own."""

    shared: dict[Any, Any] = field(default_factory=dict)

    def compact(self, chunk: EvaluatedChunk) -> EvaluatedChunk:
        """Return the chunk with results that share their texts and bounds with those of other chunks."""
        return replace(chunk, results=tuple(map(self._result, chunk.results)))

    def _result(self, result: Result) -> Result:
        intern = self.shared.setdefault
        return replace(
            result,
            subject=intern(result.subject, result.subject),
            method=intern(str(result.method), result.method),
            bounds=intern(result.bounds, result.bounds),
            reason=intern(result.reason, result.reason),
            segment=intern(result.segment, result.segment),
        )
