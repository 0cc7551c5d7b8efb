"""Plots of a model's chunks as PNG files: performance with its bounds, and drift as a heat map. No I/O here."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from driftline.clock import naive_utc
from driftline.engine.catalogue import title
from driftline.engine.chunks import Chunk
from driftline.engine.results import Bounds, Result, ResultKind
from driftline.store.registry import Version
from monitoring.pages.charts import LEVELS
from monitoring.pages.drift_map import drift_map
from monitoring.report.chunk_report import ChunkReport

INK, REALIZED, ESTIMATED, WARN, ALERT = "#22303c", "#2166ac", "#8a63c9", "#c98a00", "#c0392b"
RESOLUTION = 110
_SHADES = LinearSegmentedColormap.from_list(
    "drift", [(0.0, "#f6f8f9"), (0.499, "#c9d6df"), (0.5, "#fdcf8a"), (0.75, "#e8703a"), (1.0, "#8f1d14")]
)
"""Pale up to the bound, warm beyond it."""
_DRAWN = {"warn": ("warning", WARN), "alert": ("alert", ALERT)}
"""How each of `LEVELS` is called in the legend, and its colour."""


def performance(version: Version, chunks: Sequence[ChunkReport]) -> bytes:
    """Draw each metric by chunk: realized, estimated with 3 standard errors, and the bounds of warning and alert."""
    metrics = version.spec.metrics
    figure = Figure(figsize=(11, 2.6 * len(metrics) + 0.6), layout="constrained")
    figure.suptitle(f"{version.name}, version {version.number}: performance")
    for place, metric in enumerate(metrics, start=1):
        axes = figure.add_subplot(len(metrics), 1, place)
        _draw_metric(axes, metric, chunks)
    return _png(figure)


def drift(version: Version, chunks: Sequence[ChunkReport]) -> bytes:
    """Draw by column and chunk how far the farthest method is along the way to its bound; above 1 it is outside."""
    drifted = drift_map(version.spec, chunks)
    values = np.array([[np.nan if c.ratio is None else c.ratio for c in row.cells] for row in drifted])
    figure = Figure(figsize=(11, 0.27 * len(drifted) + 1.6), layout="constrained")
    figure.suptitle(f"{version.name}, version {version.number}: drift, as a share of its bound")
    axes = figure.add_subplot()
    image = axes.imshow(values, aspect="auto", cmap=_SHADES, vmin=0, vmax=2, interpolation="nearest")
    figure.colorbar(image, ax=axes, label="1 = at the bound")
    axes.set_yticks(range(len(drifted)), [row.column for row in drifted], fontsize=7)
    places = range(0, len(chunks), max(1, len(chunks) // 12))
    axes.set_xticks(list(places), [f"{chunks[place].chunk.start:%d %b}" for place in places], fontsize=8)
    return _png(figure)


def _draw_metric(axes: Axes, metric: str, chunks: Sequence[ChunkReport]) -> None:
    axes.set_title(title(metric), loc="left", fontsize=10, color=INK)
    realized = _defined(chunks, ResultKind.REALIZED, metric)
    estimated = _defined(chunks, ResultKind.ESTIMATED, metric)
    if estimated:
        times, values, errors = _columns(estimated)
        axes.fill_between(times, values - 3 * errors, values + 3 * errors, color=ESTIMATED, alpha=0.15, lw=0)
        axes.plot(times, values, "--", color=ESTIMATED, lw=1.2, label="estimated")
    if realized:
        times, values, _ = _columns(realized)
        axes.plot(times, values, "o-", color=REALIZED, ms=3.5, lw=1.5, label="realized")
    _draw_bounds(axes, {report.chunk: result.bounds for report, result in (*estimated, *realized)})
    if realized or estimated:
        axes.legend(loc="lower left", ncols=4, fontsize=8, frameon=False)
    axes.grid(alpha=0.25)


def _draw_bounds(axes: Axes, bounds: Mapping[Chunk, Bounds]) -> None:
    """Draw the bounds by chunk, from its start to its end: they know how many rows it has."""
    for shows, (label, colour) in _DRAWN.items():
        sides = [pick for name, pick in LEVELS if name == shows]
        found = [(level, chunk) for chunk, own in bounds.items() for side in sides if (level := side(own)) is not None]
        if found:
            starts, ends = _times(end for _, chunk in found for end in (chunk.start, chunk.end)).reshape(-1, 2).T
            axes.hlines([level for level, _ in found], starts, ends, colors=colour, lw=1.2, label=label)


def _defined(chunks: Sequence[ChunkReport], kind: ResultKind, metric: str) -> list[tuple[ChunkReport, Result]]:
    found = ((report, report.result(kind, metric)) for report in chunks)
    return [(report, result) for report, result in found if result is not None and result.value is not None]


def _columns(found: Sequence[tuple[ChunkReport, Result]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    times = _times(report.chunk.start for report, _ in found)
    values = np.array([result.value for _, result in found], dtype=float)
    return times, values, np.array([result.sampling_error or 0.0 for _, result in found])


def _times(instants: Iterable[datetime]) -> np.ndarray:
    return np.array([naive_utc(instant) for instant in instants], dtype="datetime64[us]")


def _png(figure: Figure) -> bytes:
    target = BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(target, format="png", dpi=RESOLUTION, metadata={"Software": None})
    figure.clear()
    return target.getvalue()
