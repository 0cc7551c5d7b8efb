"""Standard errors of regression metrics, from the reference's spread. No I/O here."""

import numpy as np

from driftline.engine.performance.deviations import RowDeviations
from driftline.engine.performance.regression.losses import LOSS_OF, ROOTS, losses
from driftline.engine.performance.regression.outputs import Outputs
from driftline.engine.results import Metric
from driftline.engine.spec import Spec


def fit(outputs: Outputs, spec: Spec) -> RowDeviations:
    """Measure the spread of the losses in the reference's rows.

    The error of a mean is its standard deviation over sqrt(rows); that of the root of a mean follows by the delta
    method. As NannyML 0.13.1 (sampling_error/regression.py), except that its percentages are of the signed label.
    """
    return RowDeviations.of({metric: _deviation(metric, outputs.complete) for metric in spec.metrics})


def _deviation(metric: Metric, complete: Outputs) -> float:
    row_losses = losses(LOSS_OF[metric], complete.labels, complete.predictions)
    defined = row_losses[~np.isnan(row_losses)]
    if not len(defined):
        return float("nan")
    spread, mean = float(np.std(defined)), float(np.mean(defined))
    if metric not in ROOTS:
        return spread
    return spread / (2 * float(np.sqrt(mean))) if mean else float("nan")
