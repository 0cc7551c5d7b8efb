"""Values by day, in small multiples on a common date axis."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from eda.plots.style import BLUE, GREY, ORANGE, WIDTH, date_axis, empty, in_unit, note
from eda.quantities import QUANTITIES, UsageUnit
from eda.statistics.days import DayCount
from eda.statistics.exploration import Exploration
from eda.wording import bare, number, share

NAME = "by_day"
TITLE = "Records, subscribers, churn and usage totals by UTC day"
FEW_DAYS = 45
"""The largest number of days at which each day is marked by a dot."""


@dataclass(frozen=True)
class Line:
    """A panel: its title with the unit, the values by day, their colour, the tick format and the note."""

    title: str
    values: pd.Series
    color: str
    ticks: FuncFormatter
    note: str


def draw(exploration: Exploration) -> Figure:
    """Draw records, subscribers, labels, churn rate and the total of each usage column by day."""
    figure = Figure(figsize=(WIDTH, 13.2), layout="constrained")
    grid = figure.subplots(6, 2, sharex=True)
    for axes, line in zip(grid.flat, _lines(exploration), strict=True):
        _panel(axes, line)
    for axes in grid[-1]:
        date_axis(axes)
    return figure


def _lines(exploration: Exploration) -> Iterator[Line]:
    """Yield the panels in the order in which they are drawn."""
    days, plain = exploration.days, in_unit(UsageUnit.CALLS)
    percent = FuncFormatter(lambda value, _: f"{100 * value:.3g} %")
    for count in (DayCount.RECORDS, DayCount.SUBSCRIBERS):
        values = days.counts[count].astype("float64")
        yield Line(f"{count.capitalize()} per day", values, BLUE, plain, f"median {number(float(values.median()))}")
    labelled = days.labelled_share
    yield Line("Labels known, share of subscribers", labelled, GREY, percent, f"lowest {share(_lowest(labelled))}")
    overall = share(days.overall_churn_rate())
    yield Line("Churn rate, settled days", days.churn_rate, ORANGE, percent, f"overall {overall}")
    for column, quantity in QUANTITIES.items():
        total = days.totals[column]
        middle = None if total.isna().all() else float(total.median())
        note = f"median {bare(middle, quantity.unit)}"
        yield Line(f"{quantity.label}, {quantity.unit} per day", total, BLUE, in_unit(quantity.unit), note)


def _lowest(values: pd.Series) -> float | None:
    return None if values.isna().all() else float(values.min())


def _panel(axes: Axes, line: Line) -> None:
    """Draw a line with a filled area below it, or a message if all values are missing."""
    axes.set_title(line.title)
    if line.values.isna().all():
        empty(axes, "not known")
        return
    marker = "o" if len(line.values) <= FEW_DAYS else None
    axes.plot(line.values.index, line.values.to_numpy(), color=line.color, linewidth=1.5, marker=marker, markersize=3)
    axes.fill_between(line.values.index, 0, line.values.to_numpy(), color=line.color, alpha=0.10, linewidth=0)
    axes.set_ylim(0, 1.08 * float(line.values.max()) or 1.0)
    axes.yaxis.set_major_formatter(line.ticks)
    axes.grid(visible=False, axis="x")
    note(axes, line.note)
