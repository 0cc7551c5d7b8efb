"""The minimum rows of a chunk, by the sampling error of the model's performance. No I/O here.

With too few rows, results scatter so much that a model without any skill looks like the model of the reference. How
many are enough depends on the model: a strong model is distinguishable from chance with fewer rows than a weak one.
"""

from collections.abc import Mapping
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from driftline.engine.catalogue import Problem
from driftline.engine.frames.columns import as_floats
from driftline.engine.performance.ranks import roc_auc_of
from driftline.engine.results import LABEL, PREDICTION, SCORE
from driftline.engine.spec import Spec

FEWEST_ROWS = 30
"""Below this the normal approximation of sampling errors does not hold."""
FEWEST_CLASS_ROWS = 5
SKILL_ERRORS = 2.0
"""The performance of the reference is this many standard errors away from that of a model without skill."""
DEFAULTS: Mapping[str, Any] = {name: Spec.model_fields[name].default for name in ("minimum_rows", "minimum_class_rows")}
"""The minima of a model that keeps the constants."""


def auc_error(auc: float, positives: float, negatives: float) -> float:
    """Return the standard error of a ROC AUC from the rows of both classes (Hanley and McNeil 1982)."""
    both_above, both_below = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    spread = auc * (1 - auc) + (positives - 1) * (both_above - auc * auc) + (negatives - 1) * (both_below - auc * auc)
    return sqrt(max(spread, 0.0) / (positives * negatives))


class SufficientRows(NamedTuple):
    """How many rows, and rows of the rarer class, are enough, and the reason for it."""

    rows: int
    class_rows: int
    reason: str


_NO_ROWS = SufficientRows(10**9, 10**9, "")


def lowered_minimum(spec: Spec, reference: pd.DataFrame) -> Spec:
    """Return the spec with lower minimum rows, as the reference allows, where it does not set them itself.

    `reference` has the outputs. Nothing is raised above the default, and nothing is lowered without labels.
    """
    if spec.model_fields_set & DEFAULTS.keys():
        return spec
    lower = lower_rows(spec, reference)
    if lower is None:
        return spec
    return spec.model_copy(update={"minimum_rows": lower.rows, "minimum_class_rows": lower.class_rows})


def lower_rows(spec: Spec, reference: pd.DataFrame) -> SufficientRows | None:
    """Return how many rows are enough where that is fewer than the default, else None; classes keep theirs at most."""
    sufficient = sufficient_rows(spec, reference)
    if sufficient.rows >= DEFAULTS["minimum_rows"]:
        return None
    return sufficient._replace(class_rows=min(sufficient.class_rows, DEFAULTS["minimum_class_rows"]))


def sufficient_rows(spec: Spec, reference: pd.DataFrame) -> SufficientRows:
    """Return how many rows distinguish the model from one without skill; `reference` has the outputs."""
    return _BY_PROBLEM[spec.problem](reference)


def _binary_minimum(frame: pd.DataFrame) -> SufficientRows:
    """Return how many rows distinguish the ROC AUC of the score, or of the prediction, from chance."""
    labels = as_floats(frame[LABEL])
    values = as_floats(frame[SCORE])
    if not np.isfinite(values).any():
        values = as_floats(frame[PREDICTION])
    complete = np.isfinite(values) & np.isfinite(labels)
    auc = roc_auc_of(values[complete], labels[complete]) if complete.any() else None
    if auc is None or auc <= 0.5:
        return _NO_ROWS
    finite = labels[np.isfinite(labels)]
    rarer = min(float(np.mean(finite == 1)), float(np.mean(finite == 0)))

    def is_enough(rows: float) -> bool:
        return SKILL_ERRORS * auc_error(auc, rows * rarer, rows * (1 - rarer)) <= auc - 0.5

    rows = next((n for n in range(FEWEST_ROWS, 1_000) if n * rarer >= 1 and is_enough(n)), _NO_ROWS.rows)
    class_rows = next((n for n in range(FEWEST_CLASS_ROWS, 1_000) if is_enough(n / rarer)), _NO_ROWS.rows)
    return SufficientRows(
        rows, class_rows, f"fewer cannot distinguish ROC AUC ({auc:.3f} in the reference) from chance"
    )


def _multiclass_minimum(frame: pd.DataFrame) -> SufficientRows:
    """Return how many rows distinguish the accuracy from that of chance."""
    complete = np.asarray(frame[PREDICTION].notna()) & np.asarray(frame[LABEL].notna())
    predictions, labels = frame[PREDICTION][complete].astype(str), frame[LABEL][complete].astype(str)
    if not len(labels):
        return _NO_ROWS
    accuracy = float(np.mean(predictions.to_numpy() == labels.to_numpy()))
    shares = [series.value_counts(normalize=True) for series in (predictions, labels)]
    gain = accuracy - float(shares[0].mul(shares[1], fill_value=0.0).sum())
    if gain <= 0:
        return _NO_ROWS
    rows = (SKILL_ERRORS / gain) ** 2 * accuracy * (1 - accuracy)
    reason = f"fewer cannot distinguish accuracy ({accuracy:.3f} in the reference) from chance"
    return SufficientRows(max(FEWEST_ROWS, int(np.ceil(rows))), FEWEST_CLASS_ROWS, reason)


def _regression_minimum(frame: pd.DataFrame) -> SufficientRows:
    """Return how many rows distinguish the mean absolute error from that of the labels' median."""
    predictions, labels = as_floats(frame[PREDICTION]), as_floats(frame[LABEL])
    complete = np.isfinite(predictions) & np.isfinite(labels)
    if np.sum(complete) < FEWEST_ROWS:
        return _NO_ROWS
    errors = np.abs(predictions - labels)[complete]
    gain = float(np.mean(np.abs(labels[complete] - np.median(labels[complete])))) - float(np.mean(errors))
    if gain <= 0:
        return _NO_ROWS
    rows = (SKILL_ERRORS * float(np.std(errors)) / gain) ** 2
    reason = f"fewer cannot distinguish the mean absolute error ({np.mean(errors):.4g} in the reference) from chance"
    return SufficientRows(max(FEWEST_ROWS, int(np.ceil(rows))), FEWEST_CLASS_ROWS, reason)


_BY_PROBLEM = {
    Problem.BINARY: _binary_minimum,
    Problem.MULTICLASS: _multiclass_minimum,
    Problem.REGRESSION: _regression_minimum,
}
