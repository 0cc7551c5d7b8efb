"""Realized performance: exact metrics over the rows whose label is known. No I/O here."""

from collections.abc import Callable

import numpy as np

from driftline.engine.outcome import Outcome, too_few, undefined
from driftline.engine.performance.binary.sampling import SamplingErrors
from driftline.engine.performance.binary.scores import Scores
from driftline.engine.results import Metric, State
from driftline.engine.spec import ModelSpec


def finish(state: SamplingErrors, summary: Scores, metric: Metric, spec: ModelSpec) -> Outcome:
    """Compute `metric` over the labelled rows of a chunk, with its standard error as NannyML 0.13.1 has it.

    ROC AUC needs rows with a score, the others rows with a prediction. No label known is pending; fewer than the
    spec's minimum rows, or minimum rows of the rarer class, is insufficient.
    """
    if not summary.labelled.rows:
        return undefined(0, f"none of {summary.rows} labels is known yet", State.PENDING_LABELS)
    usable = summary.labelled.scored if metric is Metric.ROC_AUC else summary.labelled.predicted
    reason = _insufficiency(usable, spec)
    if reason:
        return undefined(usable.rows, reason)
    value = _METRICS[metric](usable)
    if value is None:
        return undefined(usable.rows, f"{metric} is not defined for these rows")
    return Outcome(value, usable.rows, sampling_error=state.of(metric, usable.rows))


def _insufficiency(usable: Scores, spec: ModelSpec) -> str | None:
    classes = [usable.count(label=label) for label in (0, 1)]
    if usable.rows and not min(classes):
        return f"all {usable.rows} labelled rows are of class {classes.index(max(classes))}; both classes are needed"
    return too_few(usable.rows, spec.minimum_rows, "labelled rows") or too_few(
        min(classes), spec.minimum_class_rows, f"labelled rows of class {classes.index(min(classes))}"
    )


def roc_auc(rows: Scores) -> float | None:
    """Return the share of (positive, negative) pairs that the score orders rightly; ties count half. Exact.

    `rows` are labelled and scored. None where a class has no rows.
    """
    firsts = np.flatnonzero(np.diff(rows.scores, prepend=np.nan) != 0)
    if not len(firsts):
        return None
    positives = np.add.reduceat(np.where(rows.labels == 1, rows.counts, 0), firsts)
    negatives = np.add.reduceat(np.where(rows.labels == 0, rows.counts, 0), firsts)
    pairs = int(positives.sum()) * int(negatives.sum())
    below = np.cumsum(negatives) - negatives
    return int(np.sum(positives * (2 * below + negatives))) / (2 * pairs) if pairs else None


def f1(rows: Scores) -> float | None:
    """Return the harmonic mean of precision and recall; `rows` are labelled and predicted.

    0 where the model finds no positive though there are some. None where there is none to find and none was claimed.
    """
    hits = rows.count(prediction=1, label=1)
    wrong = rows.count(prediction=1, label=0) + rows.count(prediction=0, label=1)
    return 2 * hits / (2 * hits + wrong) if hits + wrong else None


def accuracy(rows: Scores) -> float | None:
    """Return the share of right predictions; `rows` are labelled and predicted. None without rows."""
    right = rows.count(prediction=0, label=0) + rows.count(prediction=1, label=1)
    return right / rows.rows if rows.rows else None


_METRICS: dict[Metric, Callable[[Scores], float | None]] = {
    Metric.ROC_AUC: roc_auc,
    Metric.F1: f1,
    Metric.ACCURACY: accuracy,
}
