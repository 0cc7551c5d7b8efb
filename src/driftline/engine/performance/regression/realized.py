"""Realized performance: exact metrics over the rows whose label is known. No I/O here."""

from driftline.engine.outcome import Outcome, finite, too_few, undefined
from driftline.engine.performance.deviations import Deviations
from driftline.engine.performance.regression.losses import LOSS_OF, UNDEFINED, metric_of
from driftline.engine.performance.regression.totals import Total, Totals
from driftline.engine.results import Metric, State
from driftline.engine.spec import Spec


def finish(errors: Deviations, summary: Totals, metric: Metric, spec: Spec) -> Outcome:
    """Compute `metric` over the rows with a label and a prediction, with its standard error as NannyML 0.13.1 has it.

    No label known is pending; fewer than the spec's minimum rows is insufficient, and so is a chunk with rows whose
    loss is undefined: a percentage of a label of 0, a logarithm of a negative number.
    """
    if not summary.labelled:
        return undefined(0, f"none of {summary.rows} labels is known yet", State.PENDING_LABELS)
    return measured(errors, summary.known[LOSS_OF[metric]], metric, spec, "labelled rows with a prediction")


def measured(errors: Deviations, found: Total, metric: Metric, spec: Spec, what: str) -> Outcome:
    """Compute `metric` from what its losses add up to; `what` says in plain words what the rows are."""
    rows = found.rows + found.undefined
    reason = too_few(rows, spec.minimum_rows, what)
    if not reason and found.undefined:
        reason = f"{metric} is not defined: {found.undefined} of {rows} rows have {UNDEFINED[LOSS_OF[metric]]}"
    if reason:
        return undefined(rows, reason)
    value = finite(metric_of(metric, found.mean))
    if value is None:
        return undefined(rows, f"{metric} is not defined: its losses add up to no finite number")
    return Outcome(value, rows, sampling_error=errors.error(metric, rows))
