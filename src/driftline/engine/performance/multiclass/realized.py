"""Realized performance: exact metrics over the rows whose label is known. No I/O here."""

from dataclasses import dataclass
from functools import cached_property

from driftline.engine.catalogue import SCORE_METRICS
from driftline.engine.frames.columns import FloatArray
from driftline.engine.outcome import undefined
from driftline.engine.performance.deviations import RowDeviations
from driftline.engine.performance.multiclass.confusion import MulticlassConfusion
from driftline.engine.performance.multiclass.metrics import MetricOutcomes, all_undefined, compute_metric
from driftline.engine.performance.multiclass.roc import realized_roc_aucs
from driftline.engine.performance.multiclass.rows import MulticlassRows
from driftline.engine.results import State
from driftline.engine.spec import Spec


@dataclass(frozen=True, eq=False)
class LabelledStatistics:
    """Statistics of labelled rows."""

    labelled: MulticlassRows

    @cached_property
    def rows(self) -> int:
        """The number of rows."""
        return self.labelled.rows

    @cached_property
    def by_class(self) -> FloatArray:
        """The number of rows of each class."""
        return self.labelled.by_label

    @cached_property
    def confusion(self) -> MulticlassConfusion:
        """The confusion matrix of the rows with a prediction."""
        return MulticlassConfusion.counted(self.labelled.predicted)

    @cached_property
    def roc_aucs(self) -> FloatArray:
        """The area under each class's ROC curve, over the rows with scores."""
        return realized_roc_aucs(self.labelled.scored)


def outcomes(errors: RowDeviations, summary: MulticlassRows, spec: Spec) -> MetricOutcomes:
    """Compute the spec's metrics over the labelled rows of a chunk, with standard errors as in NannyML 0.13.1.

    ROC AUC (one class against the rest) uses rows with all scores, other metrics rows with a prediction. ROC AUC, F1,
    precision, recall and specificity are means over the classes; cells of the confusion matrix are numbers of rows.
    Without labels the state is pending labels. It is insufficient with fewer rows, or fewer rows of a class, than the
    spec's minimum, and for the precision of a class that was never predicted.
    """
    scored, predicted = LabelledStatistics(summary.labelled.scored), LabelledStatistics(summary.labelled.predicted)
    for metric in spec.metrics:
        if summary.labelled.rows:
            statistics = scored if metric in SCORE_METRICS else predicted
            yield from compute_metric(metric, spec, statistics, errors, "labelled rows")
        else:
            pending = undefined(0, f"none of {summary.rows} labels is known yet", State.PENDING_LABELS)
            yield from all_undefined(metric, spec, pending)
