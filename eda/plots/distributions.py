"""Distributions of the usage columns, split by PSEUDO_CHURNED."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from churn.columns import CDR_USAGE, Cdr
from eda.plots.style import GROUP_COLORS, QUIET, WIDTH, empty, in_unit, note
from eda.quantities import QUANTITIES
from eda.statistics.exploration import Exploration
from eda.statistics.histogram import EDGES, EMPTY, Floats, UsageHistogram, snapped
from eda.statistics.profile import Group
from eda.wording import bare, share

NAME = "distributions"
TITLE = "Distribution of each usage column per record, by PSEUDO_CHURNED"
BARS = 44
LOWEST_PART = 0.0005
"""The share of positive values below a logarithmic scale, so that one tiny value does not extend it by decades."""


def draw(exploration: Exploration) -> Figure:
    """Draw a panel per usage column: counts on the left, amounts on the right."""
    figure = Figure(figsize=(WIDTH, 12.6), layout="constrained")
    panels = figure.subplots(4, 2).flat
    groups = _groups(exploration)
    for axes, column in zip(panels, CDR_USAGE, strict=True):
        _panel(axes, exploration, column, groups)
    _legend(figure, groups)
    return figure


def _groups(exploration: Exploration) -> tuple[Group, ...]:
    """Return the labelled groups with records, or one group of all records if no label is settled."""
    labelled = (Group.STAYED, Group.CHURNED)
    present = {group for (_, group), values in exploration.profile.histograms.items() if values.total}
    return tuple(group for group in labelled if group in present) or (Group.UNKNOWN,)


def _panel(axes: Axes, exploration: Exploration, column: Cdr, groups: tuple[Group, ...]) -> None:
    """Draw the distribution of a usage column in each group, or a message if it has no values."""
    quantity = QUANTITIES[column]
    by_group = {group: exploration.profile.histograms[column, group] for group in groups}
    all_values = sum(by_group.values(), start=EMPTY)
    logarithmic = exploration.is_skewed(column)
    axes.set_title(quantity.label)
    if all_values.maximum is None:
        empty(axes, "no values")
        return
    edges = _edges(all_values, logarithmic)
    for group, values in by_group.items():
        _outline(axes, values, edges, group, logarithmic)
    axes.set_xscale("log" if logarithmic else "linear")
    axes.xaxis.set_major_formatter(in_unit(quantity.unit))
    axes.xaxis.set_minor_formatter(lambda *_: "")
    axes.set_xlabel(f"{quantity.unit} per record" + (", log scale" if logarithmic else ""))
    axes.set_ylim(bottom=0)
    axes.set_yticklabels([])
    axes.grid(visible=False, axis="y")
    note(axes, _note(by_group, column, logarithmic))


def _edges(values: UsageHistogram, logarithmic: bool) -> Floats:
    """Return the edges of about `BARS` bins, each with at least one integer; a logarithmic scale has no bin for 0."""
    top = max(values.maximum or 0.0, 0.0) + 1.0
    if logarithmic:
        zero = values.zero_share or 0.0
        low = max(values.quantile(zero + LOWEST_PART * (1 - zero)) or 1.0, 1.0)
        return np.append(snapped(np.unique(np.rint(np.geomspace(low, top, BARS)))[:-1]), _after(top))
    step = max(1.0, np.ceil(top / BARS))
    return np.append(snapped(np.arange(0.0, top, step)), _after(top))


def _after(top: float) -> float:
    """Return the first edge of the grid at or above a value."""
    return float(EDGES[np.searchsorted(EDGES, top)])


def _outline(axes: Axes, values: UsageHistogram, edges: Floats, group: Group, logarithmic: bool) -> None:
    widths = np.diff(np.log10(edges)) if logarithmic else np.diff(edges)
    density = values.counts_between(edges) / max(values.total, 1) / widths
    color = GROUP_COLORS[group]
    axes.stairs(density, edges, fill=True, color=color, alpha=0.16, linewidth=0)
    axes.stairs(density, edges, color=color, linewidth=1.5)
    median = values.quantile(0.5)
    if median is not None and (median > 0 or not logarithmic):
        axes.axvline(median, color=color, linewidth=1.2, linestyle=(0, (4, 2)))


def _note(by_group: Mapping[Group, UsageHistogram], column: Cdr, logarithmic: bool) -> str:
    unit = QUANTITIES[column].unit
    medians = " | ".join(bare(values.quantile(0.5), unit) for values in by_group.values())
    zeros = " | ".join(share(values.zero_share) for values in by_group.values())
    return f"median {medians}" + (f"   zero {zeros}" if logarithmic else "")


def _legend(figure: Figure, groups: tuple[Group, ...]) -> None:
    names = {group: f"PSEUDO_CHURNED = {group}" for group in (Group.STAYED, Group.CHURNED)}
    names[Group.UNKNOWN] = "all records (no label is settled)"
    handles = [Line2D([], [], color=GROUP_COLORS[group], linewidth=2.5, label=names[group]) for group in groups]
    handles.append(Line2D([], [], color=QUIET, linewidth=1.2, linestyle=(0, (4, 2)), label="median"))
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles))
