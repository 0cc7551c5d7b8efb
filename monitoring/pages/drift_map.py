"""Drift by column and chunk, as one comparable number each: how far along the way to its bound. No I/O here."""

from collections.abc import Sequence
from dataclasses import dataclass

from driftline.engine.catalogue import measure, title
from driftline.engine.results import Quality, Result, ResultKind
from driftline.engine.spec import Spec
from driftline.engine.thresholds.comparison import worse_side
from driftline.engine.verdicts.drift_rule import drift_seen
from driftline.engine.verdicts.findings import percent
from monitoring.report.chunk_report import ChunkReport

UNSEEN = 0.99
"""What a ratio is at most where the verdict's rule sees no drift, p-values over all columns considered."""


@dataclass(frozen=True, slots=True)
class DriftCell:
    """One column in one chunk: `ratio` is 1 where the farthest method is at its bound, None where none has a value.

    `seen` says that the chunk drifted by the verdict's own rule (bound and effect floor), `lasting` that it lasted.
    """

    ratio: float | None
    seen: bool
    lasting: bool
    words: str


@dataclass(frozen=True, slots=True)
class DriftRow:
    """One column over all chunks."""

    column: str
    cells: tuple[DriftCell, ...]

    @property
    def lasts(self) -> bool:
        """Say whether the drift of the column lasted in any chunk."""
        return any(cell.lasting for cell in self.cells)


def subjects_seen(spec: Spec, report: ChunkReport) -> frozenset[str]:
    """Name what drifted in a chunk by the verdict's own rule, whether it lasts or not: columns, or the whole model."""
    return frozenset(subject for _, subject, *_ in drift_seen(spec, report.facts()))


def drift_map(spec: Spec, chunks: Sequence[ChunkReport]) -> list[DriftRow]:
    """Give a row for each watched column, in the spec's order, with a cell for each chunk."""
    seen = [subjects_seen(spec, report) for report in chunks]
    return [
        DriftRow(
            column.name,
            tuple(
                _cell(spec, report, column.name, seen=column.name in found)
                for report, found in zip(chunks, seen, strict=True)
            ),
        )
        for column in spec.watched
    ]


def _cell(spec: Spec, report: ChunkReport, column: str, *, seen: bool) -> DriftCell:
    own = [r for r in report.results if r.subject == column and r.kind in (ResultKind.DRIFT, ResultKind.QUALITY)]
    found = [(way, r) for r in own if (way := ratio(spec, r)) is not None]
    lasting = column in report.verdict.drifted
    if not found:
        return DriftCell(None, seen, lasting, next((r.reason for r in own if r.reason), "no value"))
    way, farthest = max(found, key=lambda pair: pair[0])
    return DriftCell(max(way, 1.0) if seen else min(way, UNSEEN), seen, lasting, _words(farthest))


def ratio(spec: Spec, result: Result) -> float | None:
    """Give how far a value is along the way to the point where drift may be seen: 1 is there.

    That point is the bound, and the effect floor where that is further; without a bound, the floor alone; under a
    threshold of the spec's own, the bound alone.
    """
    if result.value is None:
        return None
    effect = result.value if result.effect is None else result.effect
    bound = worse_side(result.method, result.bounds).upper
    floor = None if spec.threshold_override(result.method) else measure(result.method).effect_floor
    ways = [value / limit for value, limit in ((effect, floor), (result.value, bound)) if limit]
    return max(0.0, min(ways)) if ways else None


def _words(result: Result) -> str:
    if result.value is None:
        return "no value"
    if result.method == Quality.MISSING_VALUES:
        limit = "" if result.bounds.upper is None else f", bound {percent(result.bounds.upper)}"
        return f"{percent(result.value)} missing{limit}"
    limit = "" if result.bounds.upper is None else f", bound {result.bounds.upper:.3g}"
    return f"{title(result.method)} {result.value:.3g}{limit}"
