"""The common style of all plots, and the conversion of a figure to SVG."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from driftline.report.palette import LIGHT
from eda.quantities import UsageUnit
from eda.statistics.exploration import Exploration
from eda.statistics.profile import Group
from eda.wording import bare

INK, QUIET, GRID, PAPER = LIGHT["ink"], LIGHT["soft"], LIGHT["line"], LIGHT["card"]
BLUE, ORANGE, GREY = LIGHT["realized"], "#d9641e", "#8c98a5"
GROUP_COLORS = {Group.STAYED: BLUE, Group.CHURNED: ORANGE, Group.UNKNOWN: GREY}
"""Colours by group; blue and orange differ for colour-blind readers too."""
WIDTH = 11.0
"""The width of a plot in inches; the report scales it to the width of its page."""
PIXELS_AN_INCH = 200
"""The resolution of the parts drawn as pixels."""

_STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": QUIET,
    "axes.labelsize": 9,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.edgecolor": GRID,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.bottom": False,
    "ytick.left": False,
    "legend.frameon": False,
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
}


@dataclass(frozen=True)
class Plot:
    """A drawn plot: the stem of its file, its title (also its text alternative), and the SVG."""

    name: str
    title: str
    svg: bytes

    @property
    def file_name(self) -> str:
        """The name of the plot's file."""
        return f"{self.name}.svg"


def drawn(name: str, title: str, exploration: Exploration, draw: Callable[[Exploration], Figure]) -> Plot:
    """Draw in the common style, without changing the global style, and return the plot as SVG."""
    style: dict[Any, Any] = {**sns.axes_style("whitegrid"), **_STYLE, "svg.hashsalt": name}
    with mpl.rc_context(style):
        figure, sink = draw(exploration), io.BytesIO()
        figure.savefig(sink, format="svg", dpi=PIXELS_AN_INCH, metadata={"Date": None, "Title": title})
    return Plot(name, title, sink.getvalue())


def in_unit(unit: UsageUnit) -> FuncFormatter:
    """Return tick labels for amounts, where the axis label names the unit."""
    return FuncFormatter(lambda value, _: bare(value, unit) if value else "0")


def date_axis(axes: Axes) -> None:
    """Label a date axis briefly, with few ticks."""
    locator = AutoDateLocator(minticks=3, maxticks=6)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def note(axes: Axes, text: str) -> None:
    """Write a note at the upper right corner, above the plot."""
    axes.annotate(
        text, (1, 1), (0, 4), "axes fraction", "offset points", ha="right", va="bottom", color=QUIET, fontsize=8.5
    )


def empty(axes: Axes, text: str) -> None:
    """Write the reason into an empty plot."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=QUIET)
