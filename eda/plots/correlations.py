"""Correlations among the usage columns and with PSEUDO_CHURNED, as heat maps."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eda.plots.style import GRID, INK, QUIET, WIDTH, note
from eda.quantities import VARIABLES, label
from eda.statistics.correlation import CorrelationMethod, matrix
from eda.statistics.exploration import Exploration
from eda.wording import UNDEFINED, signed

NAME = "correlations"
TITLE = "Correlation of every pair of columns, from −1 to +1"


def draw(exploration: Exploration) -> Figure:
    """Draw a lower triangle per method on one scale; an undefined pair is left grey."""
    figure = Figure(figsize=(WIDTH, 5.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, method in ((left, CorrelationMethod.PEARSON), (right, CorrelationMethod.SPEARMAN)):
        _triangle(axes, exploration, method)
    bar = figure.colorbar(left.collections[0], ax=[left, right], shrink=0.6, aspect=28, pad=0.01)
    bar.outline.set_visible(False)
    bar.set_ticks([-1, -0.5, 0, 0.5, 1], labels=["−1", "−0.5", "0", "+0.5", "+1"])
    return figure


def _triangle(axes: Axes, exploration: Exploration, method: CorrelationMethod) -> None:
    """Draw the correlations of one method below the diagonal."""
    square = matrix(exploration.correlations[method])
    upper = np.triu(np.ones(square.shape, dtype=np.bool_))
    names = [label(column) for column in VARIABLES]
    sns.heatmap(
        square, mask=upper, ax=axes, cmap=sns.diverging_palette(241, 28, s=85, l=48, as_cmap=True), vmin=-1, vmax=1,
        square=True, cbar=False, linewidths=1.5, linecolor="white", annot=_signs(square), fmt="",
        annot_kws={"fontsize": 8}, xticklabels=names, yticklabels=names,
    )  # fmt: skip
    _shade_undefined(axes, square.isna().to_numpy() & ~upper)
    axes.set_xlim(0, len(names) - 1)
    axes.set_ylim(len(names), 1)
    axes.grid(visible=False)
    axes.set_title(f"{method} ({'values' if method is CorrelationMethod.PEARSON else 'ranks'})")
    axes.tick_params(axis="y", labelrotation=0, labelcolor=INK)
    axes.set_xticklabels(names[: len(axes.get_xticks())], rotation=40, ha="right", rotation_mode="anchor", color=INK)
    if method is CorrelationMethod.SPEARMAN and not exploration.profile.sample.is_complete:
        note(axes, f"sample of {len(exploration.profile.sample.rows):,} records")


def _signs(square: pd.DataFrame) -> npt.NDArray[np.str_]:
    return np.array([[signed(value) for value in row] for row in square.to_numpy()])


def _shade_undefined(axes: Axes, cells: npt.NDArray[np.bool_]) -> None:
    for row, column in np.argwhere(cells):
        axes.fill_between([column, column + 1], row, row + 1, color=GRID, edgecolor="white")
        axes.text(column + 0.5, row + 0.5, UNDEFINED, ha="center", va="center", color=QUIET, fontsize=8)
