"""The metrics of some rows, realized or expected, each as one outcome or several. No I/O here."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from driftline.engine.columns import FloatArray
from driftline.engine.outcome import Outcome, too_few, undefined
from driftline.engine.performance.deviations import Deviations
from driftline.engine.performance.multiclass.confusion import BY_CLASS, Confusion, cell_names
from driftline.engine.results import Metric
from driftline.engine.spec import Spec

Found = Iterator[tuple[str, Outcome]]
"""Method (the metric, or a cell of the confusion matrix) and what was found of it."""
MACRO = frozenset({Metric.ROC_AUC, Metric.F1, Metric.PRECISION, Metric.RECALL, Metric.SPECIFICITY})
"""Means over classes: every class must be there. The others need rows of two classes."""


class Basis(Protocol):
    """Rows that metrics are computed from, whose classes are known or expected."""

    @property
    def rows(self) -> int:
        """How many rows there are."""

    @property
    def by_class(self) -> FloatArray:
        """How many rows are of each class."""

    @property
    def confusion(self) -> Confusion:
        """The rows that have a prediction, by class and predicted class."""

    @property
    def areas(self) -> FloatArray:
        """The area under each class's ROC curve."""


def methods_of(metric: Metric, spec: Spec) -> tuple[str, ...]:
    """Return what results of `metric` are called: the metric itself, or every cell of the confusion matrix."""
    return cell_names(spec.classes) if metric is Metric.CONFUSION_MATRIX else (metric,)


def all_undefined(metric: Metric, spec: Spec, why: Outcome) -> Found:
    """Yield `why` for each result of `metric`."""
    yield from dict.fromkeys(methods_of(metric, spec), why).items()


def measure(metric: Metric, spec: Spec, basis: Basis, errors: Deviations, what: str) -> Found:
    """Compute `metric` with its standard error, or say why the rows are not enough.

    `what` says in plain words what is counted, as in "labelled rows".
    """
    reason = _insufficiency(metric, spec, basis, what)
    if reason:
        yield from all_undefined(metric, spec, undefined(basis.rows, reason))
    elif metric is Metric.CONFUSION_MATRIX:
        for method, value in zip(cell_names(spec.classes), basis.confusion.cells.ravel().tolist(), strict=True):
            yield method, Outcome(value, basis.rows, sampling_error=errors.error(method, basis.rows))
    else:
        yield metric, _mean(metric, spec, basis, errors)


def _insufficiency(metric: Metric, spec: Spec, basis: Basis, what: str) -> str | None:
    few = too_few(basis.rows, spec.minimum_rows, what)
    if few:
        return few
    position = int(np.argsort(basis.by_class, kind="stable")[0 if metric in MACRO else -2])
    count = float(basis.by_class[position])
    if count >= spec.minimum_class_rows:
        return None
    return f"{count:.4g} {what} of class {spec.classes[position]}, fewer than the minimum of {spec.minimum_class_rows}"


def _mean(metric: Metric, spec: Spec, basis: Basis, errors: Deviations) -> Outcome:
    parts = basis.areas if metric is Metric.ROC_AUC else BY_CLASS[metric](basis.confusion)
    lacking = np.flatnonzero(np.isnan(parts))
    if not len(lacking):
        return Outcome(float(np.mean(parts)), basis.rows, sampling_error=errors.error(metric, basis.rows))
    name = spec.classes[int(lacking[0])]
    if metric is Metric.PRECISION:
        return undefined(basis.rows, f"{metric} is not defined: class {name} was never predicted")
    return undefined(basis.rows, f"{metric} is not defined for class {name} in these rows")
