"""Drift by column and chunk as one comparable number: its ratio to the value from which drift counts. No I/O here."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from driftline.engine.catalogue import measure, title
from driftline.engine.number_format import percent, readable
from driftline.engine.results import Quality, Result, ResultKind, is_of_model
from driftline.engine.spec import Spec
from driftline.engine.thresholds.comparison import worse_side
from driftline.report.charts import Axis
from driftline.report.palette import SHADES
from driftline.report.view import ChunkView

COLUMN_KINDS = frozenset({ResultKind.DRIFT, ResultKind.QUALITY})
LARGEST_RATIO_BELOW_DRIFT = 0.99
"""The largest ratio where the verdict's rule, which also considers p-values over all columns, finds no drift."""
WARM_LIMITS = (1.5, 2.0, 4.0)
"""The ratios at which the warm shades change."""


@dataclass(frozen=True, slots=True)
class HeatCell:
    """A column in one place (a chunk, or a group of chunks): `ratio` is 1 where its farthest method is at its bound.

    `ratio` and `shade` are None where no method has a value; `farthest` may then be a result with the reason. `drifted`
    means that a chunk drifted by the verdict's rule (bound and effect floor), `lasting` that this drift lasts.
    """

    ratio: float | None
    drifted: bool
    lasting: bool
    farthest: Result | None

    @property
    def words(self) -> str:
        """The value of the farthest method and its bound, and whether the column drifted."""
        note = " – drift that lasts" if self.lasting else " – drift seen" if self.drifted else ""
        return _words(self.farthest) + note

    @property
    def shade(self) -> int | None:
        """The index in `SHADES`."""
        return None if self.ratio is None else shade(self.ratio)


@dataclass(frozen=True, slots=True)
class HeatRow:
    """A column in all places."""

    column: str
    cells: tuple[HeatCell, ...]

    @property
    def lasts(self) -> bool:
        """Whether the drift of the column lasts in any place."""
        return any(cell.lasting for cell in self.cells)

    @property
    def weight(self) -> tuple[int, int, float]:
        """The contribution to the drift: in how many places it lasts and was seen, and the largest ratio."""
        lasting, drifted = sum(cell.lasting for cell in self.cells), sum(cell.drifted for cell in self.cells)
        return lasting, drifted, max((cell.ratio or 0.0 for cell in self.cells), default=0.0)

    def paths(self, axis: Axis, y: float) -> list[tuple[int, str]]:
        """Return one path for each shade, of strokes as wide as a cell at the height `y`."""
        paths: dict[int, str] = defaultdict(str)
        for place, cell in enumerate(self.cells):
            if cell.shade is not None:
                paths[cell.shade] += f"M{axis.x(place)} {y}h{axis.cell}"
        return sorted(paths.items())


def heat_map(spec: Spec, columns: Sequence[str], places: Sequence[Sequence[ChunkView]]) -> list[HeatRow]:
    """Return a row for each column, in the given order, with a cell for each place."""
    cells = [_cells_of_place(spec, columns, chunks) for chunks in places]
    return [HeatRow(column, tuple(place[column] for place in cells)) for column in columns]


def bound_ratio(spec: Spec, result: Result) -> float | None:
    """Return the ratio of a value to the point from which it counts as drift; None without such a point.

    That point is the bound, and the effect floor where that is farther; without a bound, the floor alone; under a
    threshold override of the spec, the bound alone.
    """
    if result.value is None:
        return None
    effect = result.value if result.effect is None else result.effect
    bound = worse_side(result.method, result.bounds).upper
    overridden = spec.threshold_overrides and spec.threshold_override(result.method)
    floor = None if overridden else measure(result.method).effect_floor
    ratios = [value / limit for value, limit in ((effect, floor), (result.value, bound)) if limit]
    return max(0.0, min(ratios)) if ratios else None


def shade(ratio: float) -> int:
    """Return the index in `SHADES`: 0 to 3 below 1, 4 to 7 from 1 on."""
    if ratio < 1:
        return min(int(ratio * 4), 3)
    return next((index for index, limit in enumerate(WARM_LIMITS, start=4) if ratio < limit), len(SHADES) - 1)


def farthest_method(spec: Spec, column: str, chunks: Sequence[ChunkView]) -> str:
    """Return the method of a column with the largest ratio in any chunk."""
    ratios = [
        (ratio, str(result.method))
        for chunk in chunks
        for result in chunk.results
        if result.subject == column and _is_of_column(result)
        if (ratio := bound_ratio(spec, result)) is not None
    ]
    return max(ratios)[1] if ratios else str(Quality.MISSING_VALUES)


def _cells_of_place(spec: Spec, columns: Sequence[str], chunks: Sequence[ChunkView]) -> dict[str, HeatCell]:
    """Return each column's cell; of several chunks the one with the largest ratio."""
    by_chunk = [_cells_of_chunk(spec, columns, chunk) for chunk in chunks]
    return {column: _merged([cells[column] for cells in by_chunk]) for column in columns}


def _merged(cells: Sequence[HeatCell]) -> HeatCell:
    if len(cells) == 1:
        return cells[0]
    farthest = max(cells, key=lambda cell: -1.0 if cell.ratio is None else cell.ratio)
    drifted, lasting = any(cell.drifted for cell in cells), any(cell.lasting for cell in cells)
    return HeatCell(farthest.ratio, drifted, lasting, farthest.farthest)


def _cells_of_chunk(spec: Spec, columns: Sequence[str], chunk: ChunkView) -> dict[str, HeatCell]:
    results, drifted = _group_by_column(chunk), chunk.drifted_columns(spec)
    return {column: _cell(spec, chunk, column, results.get(column, ()), column in drifted) for column in columns}


def _group_by_column(chunk: ChunkView) -> Mapping[str, Sequence[Result]]:
    """Return the drift and data quality results on all rows, by column."""
    results: defaultdict[str, list[Result]] = defaultdict(list)
    for result in chunk.results:
        if _is_of_column(result):
            results[result.subject].append(result)
    return results


def _is_of_column(result: Result) -> bool:
    """Return whether a result is the drift or data quality of a column, on all rows."""
    return result.segment is None and result.kind in COLUMN_KINDS and not is_of_model(result.kind, result.method)


def _cell(spec: Spec, chunk: ChunkView, column: str, results: Sequence[Result], drifted: bool) -> HeatCell:
    """Return a column's cell in one chunk; its ratio agrees with the verdict's rule on whether it drifted."""
    lasting = column in chunk.verdict.drifted
    ratios = [(ratio, result) for result in results if (ratio := bound_ratio(spec, result)) is not None]
    if not ratios:
        return HeatCell(None, drifted, lasting, next((r for r in results if r.reason), None))
    ratio, farthest = max(ratios, key=lambda pair: pair[0])
    return HeatCell(max(ratio, 1.0) if drifted else min(ratio, LARGEST_RATIO_BELOW_DRIFT), drifted, lasting, farthest)


def _words(result: Result | None) -> str:
    """Return a result's value and bound in words, or why it has no value."""
    if result is None or result.value is None:
        return (result.reason if result else None) or "no value"
    bound = result.bounds.upper
    if result.method == Quality.MISSING_VALUES:
        return f"{percent(result.value)} missing" + ("" if bound is None else f", bound {percent(bound)}")
    return f"{title(result.method)} {readable(result.value)}" + ("" if bound is None else f", bound {readable(bound)}")
