"""Results as matplotlib figures: numbers by chunk with their bounds, and drift as a heat map. No I/O here."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure

from driftline.clock import naive_utc
from driftline.engine.catalogue import measure, title
from driftline.engine.chunking.chunks import Chunk
from driftline.engine.results import MODEL, Bounds, Result, ResultKind, is_of_model
from driftline.engine.spec import Spec
from driftline.errors import InvalidInput
from driftline.report.charts import LEVELS, estimate_band, is_flat, is_outside
from driftline.report.heat_map import WARM_LIMITS, heat_map
from driftline.report.palette import LIGHT, SHADES
from driftline.report.view import ChunkView

RESOLUTION = 110
ACROSS = 3
MOST_PANELS = 24
_LINES = {ResultKind.ESTIMATED: ("--", LIGHT["estimated"]), ResultKind.REALIZED: ("-", LIGHT["realized"])}
"""The style and color of a line by kind; any other is drawn as the realized one."""
_BOUNDS = {"warn": ("warning bound", LIGHT["bound"]), "alert": ("alert bound", LIGHT["alert"])}
_RATIOS = (0.0, 0.25, 0.5, 0.75, 1.0, *WARM_LIMITS, 8.0)
"""The ratios between which the shades of drift change."""

Point = tuple[ChunkView, Result]
Panel = tuple[str, str]
"""Subject and method."""


def performance_figure(heading: str, metrics: Sequence[str], chunks: Sequence[ChunkView]) -> Figure:
    """Draw each metric by chunk: realized, estimated with 3 standard errors, and the warning and alert bounds."""
    figure = Figure(figsize=(11, 2.6 * len(metrics) + 0.6), layout="constrained")
    figure.suptitle(heading)
    for place, metric in enumerate(metrics, start=1):
        axes = figure.add_subplot(len(metrics), 1, place)
        _draw_panel(axes, MODEL, metric, chunks, ("warn", "alert"))
        if axes.lines:
            axes.legend(loc="lower left", ncols=5, fontsize=8, frameon=False)
    return figure


def drift_figure(heading: str, spec: Spec, chunks: Sequence[ChunkView]) -> Figure:
    """Draw by column and chunk how near drift is to the point where it counts; from 1 on it counts."""
    rows = heat_map(spec, [column.name for column in spec.watched], [[chunk] for chunk in chunks])
    ratios = np.array([[np.nan if cell.ratio is None else cell.ratio for cell in row.cells] for row in rows])
    figure = Figure(figsize=(11, 0.27 * len(rows) + 1.6), layout="constrained")
    figure.suptitle(heading)
    axes = figure.add_subplot()
    norm = BoundaryNorm(_RATIOS, len(SHADES), clip=True)
    image = axes.imshow(ratios, aspect="auto", cmap=ListedColormap(SHADES), norm=norm, interpolation="nearest")
    figure.colorbar(image, ax=axes, label="1 = drift counts", ticks=_RATIOS[::2])
    axes.set_yticks(range(len(rows)), [row.column for row in rows], fontsize=7)
    places = range(0, len(chunks), max(1, len(chunks) // 12))
    axes.set_xticks(list(places), [f"{chunks[place].start:%d %b}" for place in places], fontsize=8)
    return figure


def panel_figure(chunks: Sequence[ChunkView], subjects: str | Sequence[str] | None = None) -> Figure:
    """Draw a panel for each number of the subjects, or of a single one, that ever changed.

    `model` is the model as a whole, and a column of that name too. By default the subjects are the model and the
    columns whose drift lasted. Raises InvalidInput for a subject without
    results, and where there is nothing to draw.
    """
    panels = _panels(chunks, subjects)[:MOST_PANELS]
    across = min(ACROSS, len(panels))
    down = -(-len(panels) // across)
    figure = Figure(figsize=(4.2 * across, 2.3 * down), layout="constrained")
    grid: list[Axes] = figure.subplots(down, across, squeeze=False).ravel().tolist()
    for (subject, method), axes in zip(panels, grid, strict=False):
        _draw_panel(axes, subject, method, chunks, ("warn",))
        axes.tick_params(labelsize=8)
    for unused in grid[len(panels) :]:
        unused.remove()
    figure.autofmt_xdate()
    return figure


def png(figure: Figure) -> bytes:
    """Return the figure as a PNG file, and release its memory."""
    target = BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(target, format="png", dpi=RESOLUTION, metadata={"Software": None})
    figure.clear()
    return target.getvalue()


def _panels(chunks: Sequence[ChunkView], subjects: str | Sequence[str] | None) -> list[Panel]:
    """Return the numbers to draw, in the order of the subjects."""
    defined = [r for chunk in chunks for r in chunk.results if r.value is not None and r.segment is None]
    available = dict.fromkeys(result.subject for result in defined)
    drifted = dict.fromkeys(column for chunk in chunks for column in chunk.verdict.drifted)
    named = [subjects] if isinstance(subjects, str) else subjects
    requested = [MODEL, *drifted] if named is None else list(dict.fromkeys(map(str, named)))
    unknown = [name for name in requested if name not in available]
    if subjects is not None and unknown:
        raise InvalidInput(f"There are no results for {', '.join(unknown)}; there are {', '.join(available)}.")
    by_panel: dict[Panel, list[Result]] = {}
    for result in defined:
        by_panel.setdefault((result.subject, str(result.method)), []).append(result)
    panels = [panel for panel, results in by_panel.items() if panel[0] in requested and not is_flat(results)]
    if not panels:
        raise InvalidInput(f"No number of these subjects ever changed; choose from {', '.join(available) or 'none'}.")
    return sorted(panels, key=lambda panel: requested.index(panel[0]))


def _draw_panel(axes: Axes, subject: str, method: str, chunks: Sequence[ChunkView], levels: Sequence[str]) -> None:
    """Draw one number: a line for each kind that it has, and each chunk's own bounds."""
    bounds: dict[Chunk, Bounds] = {}
    for kind in sorted(
        ResultKind, key=lambda kind: kind is not ResultKind.ESTIMATED
    ):  # draw estimates first, so that the realized line is on top
        points = _points(chunks, kind, method, subject)
        if points:
            _draw_line(axes, kind, points)
            bounds |= {chunk.chunk: result.bounds for chunk, result in points}
    _draw_bounds(axes, bounds, levels)
    of_model = any(is_of_model(kind, method) for kind in measure(method).kinds)
    axes.set_title(title(method) if of_model else f"{subject}: {title(method)}", loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)


def _draw_line(axes: Axes, kind: ResultKind, points: Sequence[Point]) -> None:
    style, color = _LINES.get(kind, _LINES[ResultKind.REALIZED])
    times = _times(points)
    axes.plot(times, _values(points), style, marker=".", lw=1.4, color=color, label=kind.value)
    if kind is ResultKind.ESTIMATED:
        edges = [estimate_band(result) or (np.nan, np.nan) for _, result in points]
        axes.fill_between(times, *np.array(edges).T, color=color, alpha=0.15, lw=0)
        return
    outside = [(chunk, result) for chunk, result in points if is_outside(result)]
    if outside:
        axes.plot(_times(outside), _values(outside), "D", color=LIGHT["outside"], ms=4, label="outside its bound")


def _draw_bounds(axes: Axes, bounds: Mapping[Chunk, Bounds], levels: Sequence[str]) -> None:
    """Draw the bounds of each chunk from its start to its end: they may depend on its number of rows."""
    for name in levels:
        picks = [pick for level, pick in LEVELS if level == name]
        drawn = [
            (value, chunk) for chunk, sides in bounds.items() for pick in picks if (value := pick(sides)) is not None
        ]
        if drawn:
            label, color = _BOUNDS[name]
            starts = _instants(chunk.start for _, chunk in drawn)
            ends = _instants(chunk.end for _, chunk in drawn)
            axes.hlines([value for value, _ in drawn], starts, ends, colors=color, lw=1.2, label=label)


def _points(chunks: Sequence[ChunkView], kind: ResultKind, method: str, subject: str) -> list[Point]:
    pairs = ((chunk, chunk.result(kind, method, subject)) for chunk in chunks)
    return [(chunk, result) for chunk, result in pairs if result is not None and result.value is not None]


def _values(points: Sequence[Point]) -> np.ndarray:
    return np.array([result.value for _, result in points], dtype=float)


def _times(points: Iterable[Point]) -> np.ndarray:
    return _instants(chunk.start for chunk, _ in points)


def _instants(instants: Iterable[datetime]) -> np.ndarray:
    return np.array([naive_utc(instant) for instant in instants], dtype="datetime64[us]")
