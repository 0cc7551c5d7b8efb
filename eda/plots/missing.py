"""Missing values, by column and by day."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.dates import date2num
from matplotlib.figure import Figure

from churn.columns import Cdr
from eda.plots.style import BLUE, GREY, INK, QUIET, WIDTH, date_axis
from eda.quantities import VARIABLES, label
from eda.statistics.exploration import Exploration
from eda.wording import share

NAME = "missing"
TITLE = "Missing values: share of records with NULL, by column and by UTC day"
_NORM = PowerNorm(0.45, 0, 1)


def draw(exploration: Exploration) -> Figure:
    """Draw a bar per column, and beside it a strip of its days, darker where more values are missing."""
    figure = Figure(figsize=(WIDTH, 4.3), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[1, 3.2])
    _bars(left, exploration)
    _strips(right, exploration.days.missing_share)
    bar = figure.colorbar(right.collections[0], ax=right, shrink=0.9, aspect=22, pad=0.015)
    bar.outline.set_visible(False)
    bar.set_ticks([0, 0.01, 0.1, 0.5, 1], labels=["0", "1 %", "10 %", "50 %", "100 %"])
    return figure


def _bars(axes: Axes, exploration: Exploration) -> None:
    """Draw the share of missing values of each column over all days."""
    shares = [exploration.missing_share(column) for column in VARIABLES]
    colors = [GREY if column is Cdr.PSEUDO_CHURNED else BLUE for column in VARIABLES]
    places = np.arange(len(VARIABLES)) + 0.5
    axes.barh(places, shares, height=0.62, color=colors)
    for place, part in zip(places, shares, strict=True):
        axes.annotate(share(part), (part, place), (5, 0), textcoords="offset points", va="center", color=QUIET)
    axes.set_yticks(places, [label(column) for column in VARIABLES], color=INK, fontsize=9.5)
    axes.set_xlim(0, min(1.0, 1.45 * max(*shares, 0.01)))
    axes.set_xticks([])
    axes.grid(visible=False)
    axes.set_title("All days")
    axes.set_xlabel("share of records with NULL")


def _strips(axes: Axes, shares: pd.DataFrame) -> None:
    """Draw the share of missing values of each column by day."""
    starts = date2num(shares.index.to_numpy())  # type: ignore[no-untyped-call]
    edges = np.append(starts, starts[-1] + 1)
    values = np.ma.masked_invalid(shares.loc[:, list(VARIABLES)].to_numpy().T)
    palette = sns.light_palette(BLUE, as_cmap=True)
    axes.pcolormesh(edges, np.arange(len(VARIABLES) + 1), values, cmap=palette, norm=_NORM, rasterized=True)
    axes.xaxis_date()
    date_axis(axes)
    axes.hlines(np.arange(1, len(VARIABLES)), edges[0], edges[-1], color="white", linewidth=2)
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(len(VARIABLES), 0)
    axes.grid(visible=False)
    axes.set_title("Each day (UTC); white: no records")
