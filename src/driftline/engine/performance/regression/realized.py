"""Realized performance: exact metrics over the rows whose label is known. No I/O here."""

from driftline.engine.outcome import Outcome, finite, too_few, undefined
from driftline.engine.performance.deviations import RowDeviations
from driftline.engine.performance.regression.loss_summary import LossSum, LossSummary
from driftline.engine.performance.regression.losses import LOSS_OF, UNDEFINED, metric_of
from driftline.engine.results import Metric, State
from driftline.engine.spec import Spec


def finish(errors: RowDeviations, summary: LossSummary, metric: Metric, spec: Spec) -> Outcome:
    """Compute `metric` over the rows with a label and a prediction, with its standard error as in NannyML 0.13.1.

    Without labels the state is pending labels. It is insufficient with fewer rows than the spec's minimum, and if the
    loss of a row is undefined: the percentage of a label of 0, the logarithm of a negative number.
    """
    if not summary.labelled:
        return undefined(0, f"none of {summary.rows} labels is known yet", State.PENDING_LABELS)
    return metric_outcome(errors, summary.realized[LOSS_OF[metric]], metric, spec, "labelled rows with a prediction")


def metric_outcome(
    errors: RowDeviations, loss_sum: LossSum, metric: Metric, spec: Spec, row_description: str
) -> Outcome:
    """Compute `metric` from the sum of its losses; `row_description` names the rows in a reason."""
    rows = loss_sum.rows + loss_sum.undefined
    reason = too_few(rows, spec.minimum_rows, row_description)
    if not reason and loss_sum.undefined:
        reason = f"{metric} is not defined: {loss_sum.undefined} of {rows} rows have {UNDEFINED[LOSS_OF[metric]]}"
    if reason:
        return undefined(rows, reason)
    value = finite(metric_of(metric, loss_sum.mean))
    if value is None:
        return undefined(rows, f"{metric} is not defined: the sum of its losses is not finite")
    return Outcome(value, rows, sampling_error=errors.error(metric, rows))
