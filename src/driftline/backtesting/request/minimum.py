"""How few rows of a chunk still say something, by the sampling error of the model's own performance. No I/O here.

With too few rows a number scatters so much that a model which lost all its skill looks like the model of the reference.
That depends on the model: a strong one is told from chance by fewer rows than a weak one.
"""

from collections.abc import Mapping
from math import sqrt
from typing import Any

import numpy as np
import pandas as pd

from driftline.backtesting.inference import Inference
from driftline.backtesting.request.layout import Layout
from driftline.backtesting.request.output_checks import auc_and_error
from driftline.engine.catalogue import Problem
from driftline.engine.columns import as_floats
from driftline.engine.results import LABEL, PREDICTION, SCORE
from driftline.engine.spec import Spec

FEWEST_ROWS = 30
"""Below this the normal approximation of sampling errors does not hold."""
FEWEST_CLASS_ROWS = 5
ERRORS = 2.0
"""The performance of the reference is this many standard errors away from that of a model without skill."""


def infer_minimum(
    layout: Layout, frame: pd.DataFrame, fields: Mapping[str, Any]
) -> tuple[Mapping[str, int], Inference | None]:
    """Return the fields of the spec that the reference allows to lower, and what was inferred.

    `frame` has the outputs of the reference, `fields` what the user's spec settles. Nothing is raised above the
    spec's default, and nothing is lowered without labels.
    """
    default = {name: Spec.model_fields[name].default for name in ("minimum_rows", "minimum_class_rows")}
    if default.keys() & fields.keys():
        return {}, None
    rows, class_rows, reason = _BY_PROBLEM[layout.spec.problem](frame)
    if rows >= default["minimum_rows"]:
        return {}, None
    lowered = {"minimum_rows": rows, "minimum_class_rows": min(class_rows, default["minimum_class_rows"])}
    of_class = f", {lowered['minimum_class_rows']} of the rarer class"
    value = f"{rows} rows" + ("" if layout.spec.problem is Problem.REGRESSION else of_class)
    return lowered, Inference("minimum", value, reason)


def auc_error(auc: float, ones: float, zeros: float) -> float:
    """Return the standard error of a ROC AUC from the rows of both classes (Hanley and McNeil 1982)."""
    of_ones, of_zeros = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    spread = auc * (1 - auc) + (ones - 1) * (of_ones - auc * auc) + (zeros - 1) * (of_zeros - auc * auc)
    return sqrt(max(spread, 0.0) / (ones * zeros))


Minimum = tuple[int, int, str]
_NONE: Minimum = (10**9, 10**9, "")


def _of_binary(frame: pd.DataFrame) -> Minimum:
    """Return the rows from which on the ROC AUC of the score, or of the prediction, is told from chance."""
    labels = as_floats(frame[LABEL])
    values = as_floats(frame[SCORE])
    if not np.isfinite(values).any():
        values = as_floats(frame[PREDICTION])
    auc, _ = auc_and_error(values, labels)
    known = labels[np.isfinite(labels)]
    if auc is None or auc <= 0.5:
        return _NONE
    rarer = min(float(np.mean(known == 1)), float(np.mean(known == 0)))

    def is_enough(rows: float) -> bool:
        return ERRORS * auc_error(auc, rows * rarer, rows * (1 - rarer)) <= auc - 0.5

    rows = next((n for n in range(FEWEST_ROWS, 1_000) if n * rarer >= 1 and is_enough(n)), _NONE[0])
    class_rows = next((n for n in range(FEWEST_CLASS_ROWS, 1_000) if is_enough(n / rarer)), _NONE[0])
    return rows, class_rows, f"from here on ROC AUC ({auc:.3f} in the reference) is told from chance"


def _of_multiclass(frame: pd.DataFrame) -> Minimum:
    """Return the rows from which on the accuracy is told from that of chance."""
    known = np.asarray(frame[PREDICTION].notna()) & np.asarray(frame[LABEL].notna())
    predictions, labels = frame[PREDICTION][known].astype(str), frame[LABEL][known].astype(str)
    if not len(labels):
        return _NONE
    accuracy = float(np.mean(predictions.to_numpy() == labels.to_numpy()))
    shares = [series.value_counts(normalize=True) for series in (predictions, labels)]
    gain = accuracy - float(shares[0].mul(shares[1], fill_value=0.0).sum())
    if gain <= 0:
        return _NONE
    needed = (ERRORS / gain) ** 2 * accuracy * (1 - accuracy)
    reason = f"from here on accuracy ({accuracy:.3f} in the reference) is told from chance"
    return max(FEWEST_ROWS, int(np.ceil(needed))), FEWEST_CLASS_ROWS, reason


def _of_regression(frame: pd.DataFrame) -> Minimum:
    """Return the rows from which on the mean absolute error is told from that of the labels' median."""
    predictions, labels = as_floats(frame[PREDICTION]), as_floats(frame[LABEL])
    known = np.isfinite(predictions) & np.isfinite(labels)
    if np.sum(known) < FEWEST_ROWS:
        return _NONE
    errors = np.abs(predictions - labels)[known]
    gain = float(np.mean(np.abs(labels[known] - np.median(labels[known])))) - float(np.mean(errors))
    if gain <= 0:
        return _NONE
    needed = (ERRORS * float(np.std(errors)) / gain) ** 2
    reason = f"from here on the mean absolute error ({np.mean(errors):.4g} in the reference) is told from chance"
    return max(FEWEST_ROWS, int(np.ceil(needed))), FEWEST_CLASS_ROWS, reason


_BY_PROBLEM = {
    Problem.BINARY: _of_binary,
    Problem.MULTICLASS: _of_multiclass,
    Problem.REGRESSION: _of_regression,
}
