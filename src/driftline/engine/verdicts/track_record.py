"""Whether past estimates of performance held when the labels came. No I/O here."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import hypot

from driftline.engine.results import Result, ResultKind
from driftline.engine.spec import Spec
from driftline.engine.thresholds.comparison import STANDARD_ERRORS, worse_side
from driftline.engine.verdicts.chunk_facts import ChunkFacts

RECORD_WINDOW = 12
"""A record covers this many of the last decided chunks: older chunks reveal little about the current model."""
MINIMUM_COMPARED = 4
TRUSTED_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """The number of chunks in which an estimate was compared with the realized value, and in which it held."""

    compared: int = 0
    held: int = 0

    @property
    def share(self) -> float | None:
        """The share of compared chunks in which the realized value was inside the estimate's band, in [0, 1].

        None where no chunk could be compared.
        """
        return self.held / self.compared if self.compared else None

    @property
    def trusted(self) -> bool:
        """Whether the estimate may alert: it was compared in at least 4 chunks and held in at least 90 % of them."""
        return self.compared >= MINIMUM_COMPARED and (self.share or 0.0) >= TRUSTED_SHARE


def estimate_held(estimated: Result | None, realized: Result | None) -> bool | None:
    """Return whether an estimate held once labels were in; None where the two cannot be compared.

    It held if the realized value is within 3 standard errors of it, both sampling errors combined; where none is known,
    if both are on the same side of the warning bound.
    """
    if estimated is None or realized is None or estimated.value is None or realized.value is None:
        return None
    error = hypot(estimated.sampling_error or 0.0, realized.sampling_error or 0.0)
    if error > 0:
        return abs(realized.value - estimated.value) <= STANDARD_ERRORS * error
    bounds = worse_side(estimated.method, estimated.bounds)
    if bounds.lower is None and bounds.upper is None:
        return None
    return bounds.breaches_warning_bound(realized.value) == bounds.breaches_warning_bound(estimated.value)


def track_records(spec: Spec, chunks: Iterable[ChunkFacts]) -> dict[str, TrackRecord]:
    """Return the record of each of the spec's metrics over the last 12 decided chunks of `chunks`, in any order."""
    decided = sorted((c for c in chunks if c.is_decided(spec)), key=lambda c: c.start)[-RECORD_WINDOW:]
    return {metric: _record(metric, decided) for metric in spec.metrics}


def _record(metric: str, decided: Iterable[ChunkFacts]) -> TrackRecord:
    comparisons = [
        estimate_held(chunk.performance(ResultKind.ESTIMATED, metric), chunk.performance(ResultKind.REALIZED, metric))
        for chunk in decided
    ]
    defined = [comparison for comparison in comparisons if comparison is not None]
    return TrackRecord(compared=len(defined), held=sum(defined))
