"""A backtest as a matplotlib figure: one panel for each number, with its bounds."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from driftline.backtesting.output.charts import is_flat
from driftline.backtesting.output.page import ReportExtraMissing
from driftline.backtesting.output.result import BacktestChunk, BacktestResult
from driftline.engine.catalogue import title
from driftline.engine.results import MODEL, Result, ResultKind
from driftline.errors import InvalidInput

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ACROSS = 3
MOST_PANELS = 24
_COLOURS = {ResultKind.REALIZED: "#14639e", ResultKind.ESTIMATED: "#7a55bd"}

Panel = tuple[str, str]
"""Subject and method."""


def draw(result: BacktestResult, subjects: Sequence[str] | None = None) -> "Figure":
    """Draw every method of the subjects that ever moved; what is not there is an InvalidInput that lists what is.

    By default the subjects are the model, its performance alone, and the columns that drifted.
    """
    panels = _panels(result, subjects)[:MOST_PANELS]
    figure, axes = _grid(len(panels))
    for (subject, method), axis in zip(panels, axes, strict=True):
        for kind in ResultKind:
            _draw_kind(result, subject, kind, method, axis)
        axis.set_title(f"{subject}: {title(method)}" if subject != MODEL else title(method), fontsize=9, loc="left")
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)
    figure.autofmt_xdate()
    return figure


def _panels(result: BacktestResult, subjects: Sequence[str] | None) -> list[Panel]:
    found = [one for chunk in result.chunks for one in chunk.results if one.value is not None and one.segment is None]
    available = dict.fromkeys(one.subject for one in found)
    drifted = dict.fromkeys(column for chunk in result.chunks for column in chunk.verdict.drifted)
    wanted = [MODEL, *drifted] if subjects is None else list(subjects)
    unknown = [name for name in wanted if name not in available]
    if subjects is not None and unknown:
        msg = f"nothing was found of {', '.join(unknown)}; there are {', '.join(available)}"
        raise InvalidInput(msg)
    panels: dict[Panel, list[Result]] = {}
    for one in found:
        panels.setdefault((one.subject, str(one.method)), []).append(one)
    chosen = [panel for panel, results in panels.items() if panel[0] in wanted and not is_flat(results)]
    if not chosen:
        msg = f"there is no number to draw; ask for one of {', '.join(available) or 'none'}"
        raise InvalidInput(msg)
    return sorted(chosen, key=lambda panel: wanted.index(panel[0]))


def _grid(panels: int) -> tuple["Figure", list[Any]]:
    try:
        from matplotlib.figure import Figure as Sheet  # noqa: PLC0415  (an extra, and slow to import)
    except ImportError as error:
        raise ReportExtraMissing from error
    across = min(ACROSS, panels)
    down = -(-panels // across)
    figure = Sheet(figsize=(4.2 * across, 2.3 * down), layout="constrained")
    axes = figure.subplots(down, across, squeeze=False).ravel().tolist()
    for empty in axes[panels:]:
        empty.remove()
    return figure, axes[:panels]


def _draw_kind(result: BacktestResult, subject: str, kind: ResultKind, method: str, axis: Any) -> None:
    points = [
        (chunk, one)
        for chunk in result.chunks
        for one in chunk.results
        if (one.subject, one.kind, str(one.method)) == (subject, kind, method)
        and one.value is not None
        and one.segment is None
    ]
    if not points:
        return
    starts = [chunk.start for chunk, _ in points]
    style = "--" if kind is ResultKind.ESTIMATED else "-"
    colour = _COLOURS.get(kind, "#14639e")
    axis.plot(starts, [one.value for _, one in points], style, marker=".", linewidth=1.3, color=colour)
    _draw_bounds(points, axis)
    outside = [(chunk.start, one.value) for chunk, one in points if one.bounds.breaches_warning_bound(one.value or 0.0)]
    if outside and kind is not ResultKind.ESTIMATED:
        axis.plot(*zip(*outside, strict=True), "D", color="#cf4436", markersize=4)


def _draw_bounds(points: Sequence[tuple[BacktestChunk, Result]], axis: Any) -> None:
    """Draw the bounds by chunk, from its start to its end: those of performance know how many rows it has."""
    both = ((chunk, bound) for chunk, one in points for bound in (one.bounds.lower, one.bounds.upper))
    levels = [(bound, chunk.start, chunk.end) for chunk, bound in both if bound is not None]
    if levels:
        axis.hlines(*zip(*levels, strict=True), colors="#cf8a1d", linewidth=1.2)
