"""Realized performance: exact metrics over the rows whose label is known. No I/O here."""

from dataclasses import dataclass
from functools import cached_property

from driftline.engine.columns import FloatArray
from driftline.engine.outcome import undefined
from driftline.engine.performance.deviations import Deviations
from driftline.engine.performance.multiclass.confusion import Confusion
from driftline.engine.performance.multiclass.measure import Found, all_undefined, measure
from driftline.engine.performance.multiclass.roc import realized_areas
from driftline.engine.performance.multiclass.rows import Rows
from driftline.engine.results import Metric, State
from driftline.engine.spec import Spec


@dataclass(frozen=True, eq=False)
class Known:
    """Labelled rows, and what metrics need of them."""

    labelled: Rows

    @cached_property
    def rows(self) -> int:
        """How many rows there are."""
        return self.labelled.rows

    @cached_property
    def by_class(self) -> FloatArray:
        """How many rows are of each class."""
        return self.labelled.by_label

    @cached_property
    def confusion(self) -> Confusion:
        """The rows that have a prediction, by class and predicted class."""
        return Confusion.counted(self.labelled.predicted)

    @cached_property
    def areas(self) -> FloatArray:
        """The area under each class's ROC curve, over the rows with scores."""
        return realized_areas(self.labelled.scored)


def outcomes(errors: Deviations, summary: Rows, spec: Spec) -> Found:
    """Compute the spec's metrics over the labelled rows of a chunk, with standard errors as NannyML 0.13.1 has them.

    ROC AUC (one class against the rest) needs rows with all scores, the others rows with a prediction. ROC AUC, F1,
    precision, recall and specificity are means over the classes; the cells of the confusion matrix are rows. No label
    known is pending; fewer than the spec's minimum rows, or minimum rows of a class, is insufficient, and so is
    precision where a class was never predicted.
    """
    scored, predicted = Known(summary.labelled.scored), Known(summary.labelled.predicted)
    for metric in spec.metrics:
        if summary.labelled.rows:
            yield from measure(metric, spec, scored if metric is Metric.ROC_AUC else predicted, errors, "labelled rows")
        else:
            pending = undefined(0, f"none of {summary.rows} labels is known yet", State.PENDING_LABELS)
            yield from all_undefined(metric, spec, pending)
