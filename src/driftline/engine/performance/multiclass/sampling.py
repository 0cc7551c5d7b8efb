"""Standard errors of multiclass metrics, from the reference's spread. No I/O here.

The formulas are those of NannyML 0.13.1 (sampling_error/multiclass_classification.py): the classes of a macro mean are
assumed to be independent, and the error of ROC AUC is multiplied by 1.2.
"""

import numpy as np

from driftline.engine.frames.columns import BoolArray, FloatArray
from driftline.engine.performance.deviations import RowDeviations
from driftline.engine.performance.multiclass.confusion import MulticlassConfusion, cell_names
from driftline.engine.performance.multiclass.rows import MulticlassRows
from driftline.engine.performance.ranks import share_below, share_of_rarer
from driftline.engine.results import Metric
from driftline.engine.spec import Spec

ROC_AUC_CORRECTION = 1.2
"""NannyML's empirical correction of its error of ROC AUC."""


def fit(rows: MulticlassRows, spec: Spec) -> RowDeviations:
    """Measure the spreads in the reference's single rows, in time order.

    Rows of equal score are ranked in their given order, so the error of ROC AUC depends slightly on it.
    """
    labelled = rows.labelled
    return RowDeviations.of(_from_counts(labelled.predicted, spec.classes) | _from_ranks(labelled.scored))


def _from_ranks(rows: MulticlassRows) -> dict[str, float]:
    pairs = zip(rows.scores.T, range(rows.scores.shape[1]), strict=True)
    variances = [_rank_variance(scores, rows.labels == position) for scores, position in pairs]
    return {Metric.ROC_AUC: ROC_AUC_CORRECTION * float(np.sqrt(np.sum(variances))) / len(variances)}


def _rank_variance(scores: FloatArray, positive: BoolArray) -> float:
    """Return the variance of a class's ROC AUC divided by the share of its rows; NaN if undefined."""
    below = share_below(scores, positive)
    return float("nan") if below is None else float(np.var(below)) / share_of_rarer(positive)


def _from_counts(rows: MulticlassRows, classes: tuple[str, ...]) -> dict[str, float]:
    """Return the deviation of each metric of the confusion matrix, and of its cells."""
    if not rows.rows:
        return {}
    matrix = MulticlassConfusion.counted(rows)
    negatives, misses = matrix.rows - matrix.actual_counts, matrix.predicted_counts - matrix.hits
    either = matrix.actual_counts + misses
    accuracy = float(matrix.hits.sum()) / matrix.rows
    macro = {
        Metric.F1: _macro(matrix.hits, either, matrix.rows),
        Metric.PRECISION: _macro(matrix.hits, matrix.predicted_counts, matrix.rows),
        Metric.RECALL: _macro(matrix.hits, matrix.actual_counts, matrix.rows),
        Metric.SPECIFICITY: _macro(negatives - misses, negatives, matrix.rows),
        Metric.ACCURACY: float(np.sqrt(accuracy * (1 - accuracy))),
    }
    shares = matrix.cells.ravel() / matrix.rows
    cells = zip(cell_names(classes), np.sqrt(shares * (1 - shares)).tolist(), strict=True)
    return {str(metric): value for metric, value in macro.items()} | dict(cells)


def _macro(part: FloatArray, total: FloatArray, rows: float) -> float:
    """Return the deviation of the mean over classes of `part` / `total`; NaN if a total is 0."""
    share = np.divide(part, total, out=np.full(len(total), np.nan), where=total > 0)
    return float(np.sqrt(np.sum(share * (1 - share) * rows / total.clip(1)))) / len(total)
