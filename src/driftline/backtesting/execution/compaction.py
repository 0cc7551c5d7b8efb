"""Results in less memory: what many of them have in common is stored once. No I/O here."""

from dataclasses import dataclass, field, replace
from typing import Any

from driftline.engine.results import Result
from driftline.monitor import EvaluatedChunk


@dataclass(frozen=True, slots=True)
class Compaction:
    """Keeps one copy of equal texts and bounds; results that another process sent have copies of their own."""

    kept: dict[Any, Any] = field(default_factory=dict)

    def compact(self, chunk: EvaluatedChunk) -> EvaluatedChunk:
        """Return the chunk with results that share their texts and bounds with those of other chunks."""
        return replace(chunk, results=tuple(map(self._result, chunk.results)))

    def _result(self, result: Result) -> Result:
        share = self.kept.setdefault
        return replace(
            result,
            subject=share(result.subject, result.subject),
            method=share(str(result.method), result.method),
            bounds=share(result.bounds, result.bounds),
            reason=share(result.reason, result.reason),
            segment=share(result.segment, result.segment),
        )
