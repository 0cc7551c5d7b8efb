"""Standard errors of multiclass metrics, from the reference's spread. No I/O here.

The formulas are NannyML 0.13.1's (sampling_error/multiclass_classification.py): the classes of a macro mean are taken
for independent of one another, and the error of ROC AUC is widened by a fifth.
"""

import numpy as np

from driftline.engine.columns import BoolArray, FloatArray
from driftline.engine.performance.deviations import Deviations
from driftline.engine.performance.multiclass.confusion import Confusion, cell_names
from driftline.engine.performance.multiclass.rows import Rows
from driftline.engine.performance.ranks import share_below, share_of_rarer
from driftline.engine.results import Metric
from driftline.engine.spec import Spec

WIDENED = 1.2
"""NannyML's correction of its error of ROC AUC, found by experiments."""


def fit(rows: Rows, spec: Spec) -> Deviations:
    """Measure the spreads in the reference's rows, given one by one, in the order of time.

    Rows of equal score are ranked as they come, so the error of ROC AUC depends a little on their order.
    """
    known = rows.labelled
    return Deviations.of(_from_counts(known.predicted, spec.classes) | _from_ranks(known.scored))


def _from_ranks(rows: Rows) -> dict[str, float]:
    pairs = zip(rows.scores.T, range(rows.scores.shape[1]), strict=True)
    variances = [_rank_variance(scores, rows.labels == position) for scores, position in pairs]
    return {Metric.ROC_AUC: WIDENED * float(np.sqrt(np.sum(variances))) / len(variances)}


def _rank_variance(scores: FloatArray, positive: BoolArray) -> float:
    """Return the variance of a class's area over the share of its rows; NaN where no rank tells it."""
    below = share_below(scores, positive)
    return float("nan") if below is None else float(np.var(below)) / share_of_rarer(positive)


def _from_counts(rows: Rows, classes: tuple[str, ...]) -> dict[str, float]:
    if not rows.rows:
        return {}
    found = Confusion.counted(rows)
    others, misses = found.rows - found.truths, found.claims - found.hits
    either = found.truths + misses
    right = float(found.hits.sum()) / found.rows
    macro = {
        Metric.F1: _macro(found.hits, either, found.rows),
        Metric.PRECISION: _macro(found.hits, found.claims, found.rows),
        Metric.RECALL: _macro(found.hits, found.truths, found.rows),
        Metric.SPECIFICITY: _macro(others - misses, others, found.rows),
        Metric.ACCURACY: float(np.sqrt(right * (1 - right))),
    }
    shares = found.cells.ravel() / found.rows
    cells = zip(cell_names(classes), np.sqrt(shares * (1 - shares)).tolist(), strict=True)
    return {str(metric): value for metric, value in macro.items()} | dict(cells)


def _macro(part: FloatArray, whole: FloatArray, rows: float) -> float:
    """Return the deviation of a mean over classes of shares `part` of `whole`; NaN where a class has no whole."""
    share = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return float(np.sqrt(np.sum(share * (1 - share) * rows / whole.clip(1)))) / len(whole)
