"""Realized performance: exact metrics over the rows whose label is known. No I/O here."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from driftline.engine.catalogue import SCORE_METRICS
from driftline.engine.outcome import Outcome, too_few, undefined
from driftline.engine.performance.binary import ranked
from driftline.engine.performance.binary.confusion import BinaryConfusion
from driftline.engine.performance.binary.metrics import COMPUTATIONS, why_undefined
from driftline.engine.performance.binary.ranked import RankedRows
from driftline.engine.performance.binary.rows import BinaryRows
from driftline.engine.performance.binary.sampling import SamplingErrors
from driftline.engine.results import Metric, State
from driftline.engine.spec import Spec


def outcomes(errors: SamplingErrors, summary: BinaryRows, spec: Spec) -> Iterator[tuple[Metric, Outcome]]:
    """Compute each metric of the spec over the labelled rows of a chunk, with its standard error as in NannyML 0.13.1.

    Metrics of the score use rows with a score, the others rows with a prediction. Without labels the state is pending
    labels; with fewer rows, or fewer of the rarer class, than the spec's minimum it is insufficient.
    """
    labelled = summary.labelled
    scored, predicted = RealizedRows(labelled.scored, spec), RealizedRows(labelled.predicted, spec)
    for metric in spec.metrics:
        if labelled.rows:
            yield metric, (scored if metric in SCORE_METRICS else predicted).outcome(metric, errors)
        else:
            yield metric, undefined(0, f"none of {summary.rows} labels is known yet", State.PENDING_LABELS)


def roc_auc(rows: BinaryRows) -> float | None:
    """Return the exact ROC AUC of `rows`, which are labelled and scored; None if a class has no rows."""
    return ranked.roc_auc(RankedRows.of(rows))


@dataclass(frozen=True, eq=False)
class RealizedRows:
    """Labelled rows with the inputs of some metrics, and their counts, each computed once."""

    rows: BinaryRows
    spec: Spec

    def outcome(self, metric: Metric, errors: SamplingErrors) -> Outcome:
        """Return the metric, or why it is undefined."""
        if self.insufficiency:
            return undefined(self.rows.rows, self.insufficiency)
        value = COMPUTATIONS[metric].realized(self)
        if value is None:
            return undefined(self.rows.rows, why_undefined(metric, self.rows))
        rows = self.rows.rows
        return Outcome(value, rows, sampling_error=errors.of(metric, rows), scatter=errors.scatter(metric, rows))

    @cached_property
    def ranked(self) -> RankedRows:
        """The rows by score; every row has one."""
        return RankedRows.of(self.rows)

    @cached_property
    def confusion(self) -> BinaryConfusion:
        """The rows by prediction and label; every row has both."""
        return BinaryConfusion.of(self.rows)

    @cached_property
    def insufficiency(self) -> str | None:
        """Why the rows are too few; None if they suffice."""
        positives = int(self.rows.counts[self.rows.labels == 1].sum())
        classes = [self.rows.rows - positives, positives]
        rarer = classes.index(min(classes))
        if self.rows.rows and not classes[rarer]:
            return f"all {self.rows.rows} labelled rows are of class {1 - rarer}; both classes are needed"
        return too_few(self.rows.rows, self.spec.minimum_rows, "labelled rows") or too_few(
            classes[rarer], self.spec.minimum_class_rows, f"labelled rows of class {rarer}"
        )
