"""The metrics of rows with known or expected classes, as outcomes. No I/O here."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from driftline.engine.catalogue import MEANS_OVER_CLASSES
from driftline.engine.frames.columns import FloatArray
from driftline.engine.outcome import Outcome, too_few, undefined
from driftline.engine.performance.deviations import RowDeviations
from driftline.engine.performance.multiclass.confusion import BY_CLASS, MulticlassConfusion, cell_names
from driftline.engine.results import Metric
from driftline.engine.spec import Spec

MetricOutcomes = Iterator[tuple[str, Outcome]]
"""The name of a result (the metric, or a cell of the confusion matrix) and its outcome."""


class ClassStatistics(Protocol):
    """The statistics that metrics are computed from; classes are known or expected."""

    @property
    def rows(self) -> int:
        """The number of rows."""

    @property
    def by_class(self) -> FloatArray:
        """The number of rows of each class."""

    @property
    def confusion(self) -> MulticlassConfusion:
        """The confusion matrix of the rows with a prediction."""

    @property
    def roc_aucs(self) -> FloatArray:
        """The area under each class's ROC curve."""


def result_names(metric: Metric, spec: Spec) -> tuple[str, ...]:
    """Return the names of the results of `metric`: the metric itself, or every cell of the confusion matrix."""
    return cell_names(spec.classes) if metric is Metric.CONFUSION_MATRIX else (metric,)


def all_undefined(metric: Metric, spec: Spec, outcome: Outcome) -> MetricOutcomes:
    """Yield the same outcome for each result of `metric`."""
    yield from dict.fromkeys(result_names(metric, spec), outcome).items()


def compute_metric(
    metric: Metric, spec: Spec, statistics: ClassStatistics, errors: RowDeviations, row_description: str
) -> MetricOutcomes:
    """Compute `metric` with its standard error, or the reason why the rows are too few.

    `row_description` names the rows in the reason, for example "labelled rows".
    """
    reason = _insufficiency(metric, spec, statistics, row_description)
    if reason:
        yield from all_undefined(metric, spec, undefined(statistics.rows, reason))
    elif metric is Metric.CONFUSION_MATRIX:
        for method, value in zip(cell_names(spec.classes), statistics.confusion.cells.ravel().tolist(), strict=True):
            yield method, Outcome(value, statistics.rows, sampling_error=errors.error(method, statistics.rows))
    else:
        yield metric, _mean(metric, spec, statistics, errors)


def _insufficiency(metric: Metric, spec: Spec, statistics: ClassStatistics, row_description: str) -> str | None:
    """Return why the rows are too few; None if they suffice."""
    reason = too_few(statistics.rows, spec.minimum_rows, row_description)
    if reason:
        return reason
    position = int(np.argsort(statistics.by_class, kind="stable")[0 if metric in MEANS_OVER_CLASSES else -2])
    count = float(statistics.by_class[position])
    if count >= spec.minimum_class_rows:
        return None
    rows = f"{count:.4g} {row_description} of class {spec.classes[position]}"
    return f"{rows}, fewer than the minimum of {spec.minimum_class_rows}"


def _mean(metric: Metric, spec: Spec, statistics: ClassStatistics, errors: RowDeviations) -> Outcome:
    values = statistics.roc_aucs if metric is Metric.ROC_AUC else BY_CLASS[metric](statistics.confusion)
    undefined_classes = np.flatnonzero(np.isnan(values))
    if not len(undefined_classes):
        return Outcome(float(np.mean(values)), statistics.rows, sampling_error=errors.error(metric, statistics.rows))
    name = spec.classes[int(undefined_classes[0])]
    if metric is Metric.PRECISION:
        return undefined(statistics.rows, f"{metric} is not defined: class {name} was never predicted")
    return undefined(statistics.rows, f"{metric} is not defined for class {name} in these rows")
