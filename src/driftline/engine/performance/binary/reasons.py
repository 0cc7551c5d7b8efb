"""Why a metric of a binary model has no value, in plain words. No I/O here."""

from driftline.engine.performance.binary.ranked import PROBABILISTIC
from driftline.engine.performance.binary.scores import Scores
from driftline.engine.results import Metric


def why_undefined(metric: Metric, rows: Scores) -> str:
    """Say why `metric` is not defined for `rows`, which are enough and have what it needs."""
    if metric in PROBABILISTIC and rows.rows and (rows.scores[0] < 0 or rows.scores[-1] > 1):
        return f"{metric} needs scores from 0 to 1; they go from {rows.scores[0]:g} to {rows.scores[-1]:g}"
    if metric is Metric.PRECISION:
        return "precision is not defined: no row is predicted to be of class 1"
    return f"{metric} is not defined for these rows"
