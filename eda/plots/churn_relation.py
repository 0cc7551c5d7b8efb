"""The correlation of each usage column with PSEUDO_CHURNED."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from churn.columns import CDR_USAGE, Cdr
from eda.plots.style import GREY, INK, QUIET, WIDTH
from eda.quantities import label
from eda.statistics.correlation import Correlation, CorrelationMethod, with_churn
from eda.statistics.exploration import Exploration
from eda.wording import signed

NAME = "churn_relation"
TITLE = "Correlation of each usage column with PSEUDO_CHURNED"
LEAST_REACH = 0.05
_MARKS = {CorrelationMethod.PEARSON: (GREY, "D", 36, "values"), CorrelationMethod.SPEARMAN: (INK, "o", 62, "ranks")}

Pairs = dict[CorrelationMethod, dict[Cdr, Correlation]]


def draw(exploration: Exploration) -> Figure:
    """Draw a row per column, the strongest rank correlation at the top, with a mark and a number per method."""
    figure = Figure(figsize=(WIDTH, 4.4), layout="constrained")
    axes = figure.subplots()
    pairs = {method: with_churn(exploration.correlations[method]) for method in CorrelationMethod}
    order = sorted(CDR_USAGE, key=lambda column: abs(pairs[CorrelationMethod.SPEARMAN][column].value or 0.0))
    for place, column in enumerate(order):
        _row(axes, place, [pairs[method][column] for method in CorrelationMethod])
    _numbers_heading(axes, len(order))
    _note_why_empty(axes, [pair for of_method in pairs.values() for pair in of_method.values()])
    axes.axvline(0, color=INK, linewidth=1)
    axes.set_yticks(range(len(order)), [label(column) for column in order], color=INK, fontsize=9.5)
    axes.set_xlim(*_reach(pairs))
    axes.set_ylim(-0.6, len(order) - 0.4)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("correlation with PSEUDO_CHURNED (right of 0: more usage goes with PSEUDO_CHURNED = 1)")
    return figure


def _row(axes: Axes, place: int, pairs: list[Correlation]) -> None:
    values = [0.0, *(pair.value for pair in pairs if pair.value is not None)]
    axes.hlines(place, min(values), max(values), color=INK, linewidth=1.2, alpha=0.25)
    for position, pair in enumerate(pairs):
        color, marker, size, _ = _MARKS[pair.method]
        if pair.value is not None:
            axes.scatter(pair.value, place, s=size, c=color, marker=marker, zorder=3, edgecolors="white")
        _at_right(axes, position, place, signed(pair.value), color)


def _numbers_heading(axes: Axes, rows: int) -> None:
    for position, method in enumerate(CorrelationMethod):
        color, marker, size, ranked = _MARKS[method]
        axes.scatter([], [], s=size, c=color, marker=marker, label=f"{method} ({ranked})")
        _at_right(axes, position, rows - 0.25, str(method), color)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2, handletextpad=0.2)


def _note_why_empty(axes: Axes, pairs: list[Correlation]) -> None:
    if all(pair.value is None for pair in pairs):
        why = f"undefined: {pairs[0].reason}"
        axes.text(0.5, 0.5, why, transform=axes.transAxes, ha="center", color=QUIET, backgroundcolor="white")


def _at_right(axes: Axes, position: int, place: float, text: str, color: str) -> None:
    axes.annotate(
        text, (1, place), (58 + 66 * position, 0), ("axes fraction", "data"), "offset points", ha="right", va="center",
        color=color, fontsize=9.5, fontweight="bold", annotation_clip=False,
    )  # fmt: skip


def _reach(pairs: Pairs) -> tuple[float, float]:
    values = [pair.value for of_method in pairs.values() for pair in of_method.values() if pair.value is not None]
    return 1.15 * min(-LEAST_REACH, *values, 0.0), 1.15 * max(LEAST_REACH, *values, 0.0)
