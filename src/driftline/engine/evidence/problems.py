"""The evidence of each problem: fitting, counting, and reading a stored state. No I/O here."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd

from driftline.engine.catalogue import Problem
from driftline.engine.evidence.by_problem import binary_fit, multiclass_evidence, regression_fit
from driftline.engine.evidence.by_problem.binary_evidence import FittedBinaryEvidence
from driftline.engine.evidence.by_problem.multiclass_evidence import FittedMulticlassEvidence
from driftline.engine.evidence.by_problem.regression_evidence import FittedRegressionEvidence
from driftline.engine.evidence.by_problem.regression_fit import ExpectedLosses
from driftline.engine.evidence.fitted import FittedEvidence
from driftline.engine.evidence.metrics.residual_counts import ResidualCounts
from driftline.engine.evidence.no_evidence import NoEvidence, no_evidence_of_days
from driftline.engine.evidence.scores.counts import Counts
from driftline.engine.evidence.scores.score_counts import ScoreCounts
from driftline.engine.frames.columns import as_floats
from driftline.engine.performance.binary.bounded import BoundedRows
from driftline.engine.performance.binary.rows import BinaryRows
from driftline.engine.performance.multiclass.rows import MulticlassRows
from driftline.engine.performance.regression.loss_summary import LossSummary
from driftline.engine.performance.regression.losses import Loss, losses_of
from driftline.engine.performance.regression.outputs import Outputs, predictions_of
from driftline.engine.performance.regression.performance import RegressionPerformance
from driftline.engine.results import LABEL, PREDICTION, SCORE
from driftline.engine.spec import Spec

_BY_PROBLEM: Mapping[str, type[FittedBinaryEvidence | FittedMulticlassEvidence | FittedRegressionEvidence]] = {
    Problem.BINARY: FittedBinaryEvidence,
    Problem.MULTICLASS: FittedMulticlassEvidence,
    Problem.REGRESSION: FittedRegressionEvidence,
}


def evidence_from_dict(stored: dict[str, Any]) -> FittedEvidence:
    """Return the state that `to_dict` of any problem serialized; that of a binary model does not name its problem."""
    return _BY_PROBLEM[stored.get("problem", Problem.BINARY)].from_dict(stored)


def fit_classifier(
    ordered: pd.DataFrame, spec: Spec, sizes: Sequence[int], days: Sequence[int] | None
) -> FittedEvidence | NoEvidence | None:
    """Fit on the reference's rows in time order, whose chunks have these sizes; the reason where it does not suffice.

    None for a regression (`fit_regression`). `days` are the days of the chunks as ordinals, None where chunks are
    longer than a day.
    """
    if too_few := no_evidence_of_days(days):
        return too_few
    if spec.problem is Problem.BINARY:
        scores, predictions, labels = (as_floats(ordered[name]) for name in (SCORE, PREDICTION, LABEL))
        return binary_fit.fit_evidence(scores, predictions, labels, sizes, days)
    if spec.problem is Problem.MULTICLASS:
        return multiclass_evidence.fit_evidence(MulticlassRows.read(ordered, spec), spec.classes, sizes, days)
    return None


def fit_regression(
    ordered: pd.DataFrame,
    spec: Spec,
    performance: RegressionPerformance,
    sizes: Sequence[int],
    days: Sequence[int] | None,
) -> FittedEvidence | NoEvidence:
    """Fit on the reference's rows in time order; `performance` is fitted on them, the rest as in `fit_classifier`."""
    if too_few := no_evidence_of_days(days):
        return too_few
    outputs = Outputs.of(ordered)
    if performance.residual_bins is None:
        return regression_fit.too_few_rows(int((outputs.predicted & outputs.labelled).sum()))
    expected = _expected_losses(ordered, spec, performance)
    return regression_fit.fit_evidence(performance.residual_bins, outputs, sizes, expected, days)


def _expected_losses(ordered: pd.DataFrame, spec: Spec, performance: RegressionPerformance) -> ExpectedLosses | None:
    """Return the expected absolute error of each row, else the first loss that has a model; None without models."""
    models = performance.dle.models
    loss = next((loss for loss in (Loss.ABSOLUTE, *losses_of(spec)) if loss in models), None)
    if loss is None:
        return None
    predicted = np.isfinite(predictions_of(ordered))
    losses = np.full(len(ordered), np.nan)
    losses[predicted] = models[loss](performance.dle.encoding(ordered, spec)[predicted])
    return loss, losses


def counts_from_list(stored: Sequence[Any]) -> Counts:
    """Return the counts that `Counts.to_list` serialized: three arrays of a classifier, or two of a regression."""
    kind: type[Counts] = ResidualCounts if len(stored) == len(fields(ResidualCounts)) else ScoreCounts
    return kind.from_list(stored)


def count_evidence(fitted: FittedEvidence | None, performance: Any) -> Counts | None:
    """Return the counts of a chunk from its summary of performance; None if there is no evidence for it."""
    rows = performance.rows if isinstance(performance, BoundedRows) else performance
    match fitted, rows:
        case FittedBinaryEvidence(), BinaryRows():
            return fitted.bins.counts(rows)
        case FittedMulticlassEvidence(), MulticlassRows():
            return fitted.counts(rows)
        case FittedRegressionEvidence(), LossSummary():
            return fitted.counts(rows)
        case _:
            return None
