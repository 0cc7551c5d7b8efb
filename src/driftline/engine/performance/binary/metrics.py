"""How each metric of a binary model is computed: one entry per metric. No I/O here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from driftline.engine.frames.columns import FloatArray
from driftline.engine.performance.binary import ranked, spreads
from driftline.engine.performance.binary.confusion import BinaryConfusion
from driftline.engine.performance.binary.expected_curves import expected_average_precision, expected_roc_auc
from driftline.engine.performance.binary.ranked import RankedRows
from driftline.engine.performance.binary.rows import BinaryRows
from driftline.engine.performance.binary.spreads import MetricSpread, ReferenceRows
from driftline.engine.performance.calibration import bin_edges
from driftline.engine.results import Metric
from driftline.engine.spec import Spec


class MetricRows(Protocol):
    """The rows of a chunk that have the values a metric requires; their labels are known or expected."""

    @property
    def rows(self) -> BinaryRows:
        """The rows, counted by score, prediction and label."""

    @property
    def spec(self) -> Spec:
        """The spec, which contains parameters of metrics."""

    @property
    def confusion(self) -> BinaryConfusion:
        """The rows by prediction and label."""

    @property
    def ranked(self) -> RankedRows:
        """The rows of each class by score."""


class ExpectedRows(MetricRows, Protocol):
    """Rows whose labels are expected from their calibrated scores."""

    @property
    def true_positives(self) -> FloatArray:
        """The cumulative expected number of rows of class 1, from the highest score down."""

    @property
    def row_counts(self) -> FloatArray:
        """The cumulative number of rows: 1, 2, 3 and so on."""


def _no_spread(rows: ReferenceRows) -> None:
    """Return no spread: the metric has no standard error."""


@dataclass(frozen=True, slots=True)
class Computation:
    """The functions that compute a metric; each returns None if the metric is undefined for the rows.

    `estimated` is None for a metric that requires labels. `spread` measures the reference for the standard error.
    `takes_probabilities` marks metrics whose scores must be from 0 to 1; `undefined` states why rows can have no value.
    """

    realized: Callable[[MetricRows], float | None]
    estimated: Callable[[ExpectedRows], float | None] | None
    spread: Callable[[ReferenceRows], MetricSpread | None] = _no_spread
    takes_probabilities: bool = False
    undefined: str | None = None


def confusion_metric(
    value: Callable[[BinaryConfusion], float | None],
    spread: Callable[[ReferenceRows], MetricSpread | None] = _no_spread,
    undefined: str | None = None,
) -> Computation:
    """Return the computation of a metric that depends on the confusion matrix only, counted or expected."""

    def compute(rows: MetricRows) -> float | None:
        return value(rows.confusion)

    return Computation(compute, compute, spread, undefined=undefined)


def _probability_loss(
    value: Callable[[RankedRows], float | None], spread: Callable[[ReferenceRows], MetricSpread | None]
) -> Computation:
    """Return the computation of a mean loss of the score, counted or expected."""

    def compute(rows: MetricRows) -> float | None:
        return value(rows.ranked)

    return Computation(compute, compute, spread, takes_probabilities=True)


def _business_value(rows: MetricRows) -> float | None:
    return rows.confusion.business_value(rows.spec.business_value) if rows.spec.business_value else None


COMPUTATIONS: dict[Metric, Computation] = {
    Metric.ROC_AUC: Computation(
        realized=lambda rows: ranked.roc_auc(rows.ranked),
        estimated=lambda rows: expected_roc_auc(rows.true_positives, rows.row_counts),
        spread=spreads.roc_auc_spread,
    ),
    Metric.F1: confusion_metric(lambda matrix: matrix.f1, spreads.f1_spread),
    Metric.ACCURACY: confusion_metric(
        lambda matrix: matrix.accuracy,
        lambda rows: spreads.share_spread(
            rows.predicted_positive == rows.positive, np.ones_like(rows.predicted_positive)
        ),
    ),
    Metric.AVERAGE_PRECISION: Computation(
        realized=lambda rows: ranked.average_precision(rows.ranked),
        estimated=lambda rows: expected_average_precision(rows.true_positives, rows.row_counts),
        spread=spreads.average_precision_spread,
    ),
    Metric.PRECISION: confusion_metric(
        lambda matrix: matrix.precision,
        lambda rows: spreads.share_spread(rows.positive, rows.predicted_positive),
        undefined="no row is predicted to be of class 1",
    ),
    Metric.RECALL: confusion_metric(
        lambda matrix: matrix.recall, lambda rows: spreads.share_spread(rows.predicted_positive, rows.positive)
    ),
    Metric.SPECIFICITY: confusion_metric(
        lambda matrix: matrix.specificity, lambda rows: spreads.share_spread(~rows.predicted_positive, ~rows.positive)
    ),
    Metric.TRUE_POSITIVES: confusion_metric(
        lambda matrix: matrix.true_positives, lambda rows: spreads.count_spread(rows.predicted_positive & rows.positive)
    ),
    Metric.FALSE_POSITIVES: confusion_metric(
        lambda matrix: matrix.false_positives,
        lambda rows: spreads.count_spread(rows.predicted_positive & ~rows.positive),
    ),
    Metric.TRUE_NEGATIVES: confusion_metric(
        lambda matrix: matrix.true_negatives,
        lambda rows: spreads.count_spread(~rows.predicted_positive & ~rows.positive),
    ),
    Metric.FALSE_NEGATIVES: confusion_metric(
        lambda matrix: matrix.false_negatives,
        lambda rows: spreads.count_spread(~rows.predicted_positive & rows.positive),
    ),
    Metric.BUSINESS_VALUE: Computation(_business_value, _business_value, spreads.business_value_spread),
    Metric.LOG_LOSS: _probability_loss(ranked.log_loss, spreads.log_loss_spread),
    Metric.BRIER: _probability_loss(ranked.brier, spreads.brier_spread),
    Metric.CALIBRATION_ERROR: Computation(
        realized=lambda rows: ranked.calibration_error(rows.ranked, bin_edges(rows.rows.rows)),
        estimated=None,
        takes_probabilities=True,
    ),
}
"""The computation of each metric; its title, range and bounds are in its row of `driftline.engine.catalogue`."""


def why_undefined(metric: Metric, rows: BinaryRows) -> str:
    """Return why `metric` is undefined for `rows`, which are sufficient in number."""
    computation = COMPUTATIONS[metric]
    if computation.takes_probabilities and rows.rows and (rows.scores[0] < 0 or rows.scores[-1] > 1):
        return f"{metric} needs scores from 0 to 1; they go from {rows.scores[0]:g} to {rows.scores[-1]:g}"
    if computation.undefined:
        return f"{metric} is not defined: {computation.undefined}"
    return f"{metric} is not defined for these rows"
