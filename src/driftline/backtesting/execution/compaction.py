"""Saves memory: stores equal texts and bounds of many results once, and counts narrowly. No I/O here."""

from dataclasses import dataclass, field, replace
from typing import Any

from driftline.engine.results import Result
from driftline.monitor import EvaluatedChunk


@dataclass(frozen=True, slots=True)
class Compaction:
    """Keeps one copy of equal texts and bounds; results from other processes each have their own."""

    shared: dict[Any, Any] = field(default_factory=dict)

    def compact(self, chunk: EvaluatedChunk) -> EvaluatedChunk:
        """Return the chunk with results that share their texts and bounds with those of other chunks.

        Its counts for evidence are held in the smallest types: nearly all of them are 0.
        """
        counts = chunk.score_counts and chunk.score_counts.narrowed()
        return replace(chunk, results=tuple(map(self._result, chunk.results)), score_counts=counts)

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
