"""Draws an exploration: each plot is an SVG, with the same bytes for the same data."""

from eda.plots import by_day, churn_relation, correlations, distributions, missing
from eda.plots.style import Plot, drawn
from eda.statistics.exploration import Exploration


def plots(exploration: Exploration) -> tuple[Plot, ...]:
    """Draw all plots, in the order in which the report shows them."""
    return tuple(drawn(module.NAME, module.TITLE, exploration, module.draw) for module in MODULES)


MODULES = (distributions, churn_relation, correlations, by_day, missing)
