"""Outputs that contradict the labels, or one another, in the reference. No I/O here."""

from collections.abc import Iterator
from math import sqrt

import numpy as np
import pandas as pd

from driftline.backtesting.inference import Inference
from driftline.backtesting.request.layout import Layout
from driftline.engine.catalogue import Problem
from driftline.engine.frames.columns import FloatArray, as_floats
from driftline.engine.performance.ranks import chance_error, roc_auc_of
from driftline.engine.performance.scores import not_probabilities
from driftline.engine.results import LABEL, PREDICTION, SCORE

STANDARD_ERRORS = 3.0
"""A ROC AUC differs from chance if it is more than this many standard errors away."""
CHANCE = 0.5


def contradiction_notes(layout: Layout, frame: pd.DataFrame) -> Iterator[Inference]:
    """Yield a note for each output of the reference that contradicts its role; `frame` has the outputs."""
    checks = {
        Problem.BINARY: _binary_notes,
        Problem.MULTICLASS: _multiclass_notes,
        Problem.REGRESSION: _regression_notes,
    }
    yield from checks[layout.spec.problem](layout, frame)


def _binary_notes(layout: Layout, frame: pd.DataFrame) -> Iterator[Inference]:
    """Yield notes on a score, or a prediction without one, that ranks labels no better than chance."""
    scores, predictions, labels = (as_floats(frame[name]) for name in (SCORE, PREDICTION, LABEL))
    scored, predicted = SCORE in layout.sources, PREDICTION in layout.sources
    if scored:
        yield from _rank_notes(layout, SCORE, scores, labels)
    elif predicted:
        yield from _rank_notes(layout, PREDICTION, predictions, labels)
    if scored and predicted:
        auc, error = auc_and_error(scores, predictions)
        if auc is not None and auc < CHANCE - STANDARD_ERRORS * error:
            score, prediction = layout.subject(SCORE), layout.subject(PREDICTION)
            value = f"{score} contradicts {prediction}: rows that are predicted as class 1 have the lower scores"
            rule = (
                f"ROC AUC of the score for the prediction is {auc:.3f}; pass the probability of class 1, or correct "
                f"{layout.option('positive')}"
            )
            yield Inference("score", value, rule, notable=True)


def _rank_notes(layout: Layout, name: str, values: FloatArray, labels: FloatArray) -> Iterator[Inference]:
    """Yield a note where values do not rank the rows of class 1 higher."""
    auc, error = auc_and_error(values, labels)
    if auc is None or auc > CHANCE + STANDARD_ERRORS * error:
        return
    output, column = ("score", layout.subject(SCORE)) if name == SCORE else ("prediction", layout.subject(PREDICTION))
    if auc < CHANCE - STANDARD_ERRORS * error:
        value = f"{column} ranks below chance in the reference, as if it were of the other class"
        cure = (
            f"pass the probability of class 1 (1 - {column}), or correct {layout.option('positive')}"
            if name == SCORE
            else f"correct {layout.option('positive')} or the column"
        )
    else:
        value = f"{column} ranks labels no better than chance in the reference"
        cure = "only a model with skill in the reference can be seen to fail later; check score, label and period"
    yield Inference(output, value, f"ROC AUC {auc:.3f}, where chance is 0.5 ± {error:.3f}; {cure}", notable=True)


def auc_and_error(values: FloatArray, classes: FloatArray) -> tuple[float | None, float]:
    """Return the ROC AUC of the rows that have both, and its standard error for random ranks (Mann-Whitney)."""
    complete = np.isfinite(values) & np.isfinite(classes)
    positives = int(np.sum(classes[complete] == 1))
    negatives = int(np.sum(complete)) - positives
    if not positives or not negatives:
        return None, 0.0
    return roc_auc_of(values[complete], classes[complete]), chance_error(positives, negatives)


def _multiclass_notes(layout: Layout, frame: pd.DataFrame) -> Iterator[Inference]:
    """Yield notes on scores that are not probabilities, and on columns that agree no more than by chance."""
    scored = set(layout.spec.scores) <= set(layout.sources)
    if scored:
        table = np.column_stack([as_floats(frame[name]) for name in layout.spec.scores])
        outside = not_probabilities(table.ravel())
        if len(outside):
            value = f"{len(outside):,} values are not probabilities: only the order of a row's scores counts"
            rule = f"they go from {outside.min():.6g} to {outside.max():.6g} in the reference, not from 0 to 1"
            yield Inference("score", value, rule, notable=True)
        best = np.where(np.isfinite(table).all(axis=1), np.nan_to_num(table).argmax(axis=1), -1)
        of_score = pd.Series(best).map(dict(enumerate(layout.spec.classes)))
        if PREDICTION in layout.sources:
            yield from _disagreement(of_score, frame[PREDICTION], "score", "the class with the highest score")
    if PREDICTION not in layout.absent:
        yield from _disagreement(frame[PREDICTION], frame[LABEL], "prediction", layout.subject(PREDICTION))


def _disagreement(classes: pd.Series, expected: pd.Series, output: str, name: str) -> Iterator[Inference]:
    """Yield a note where two columns of classes agree no more often than independent ones with their frequencies."""
    complete = np.asarray(classes.notna()) & np.asarray(expected.notna())
    first = classes[complete].astype(str).reset_index(drop=True)
    second = expected[complete].astype(str).reset_index(drop=True)
    if first.nunique() < 2 or second.nunique() < 2:
        return
    shares = first.value_counts(normalize=True), second.value_counts(normalize=True)
    chance = float(shares[0].mul(shares[1], fill_value=0.0).sum())
    agreement = float((first == second).mean())
    if agreement <= chance + STANDARD_ERRORS * sqrt(chance * (1 - chance) / len(first)):
        role = "prediction" if output == "score" else "label"
        value = f"{name} agrees with the {role} no more often than by chance"
        rule = f"in {agreement:.1%} of the reference's rows, where chance gives {chance:.1%}; check the classes' names"
        yield Inference(output, value, rule, notable=True)


def _regression_notes(layout: Layout, frame: pd.DataFrame) -> Iterator[Inference]:
    """Yield a note on predictions that are farther from the labels than the labels' median is."""
    predictions, labels = as_floats(frame[PREDICTION]), as_floats(frame[LABEL])
    complete = np.isfinite(predictions) & np.isfinite(labels)
    if np.sum(complete) < 2:
        return
    error, spread = np.abs(predictions - labels)[complete], np.abs(labels[complete] - np.median(labels[complete]))
    if float(error.mean()) > float(spread.mean()) > 0:
        value = f"{layout.subject(PREDICTION)} is farther from the label than the label's median is"
        rule = (
            f"mean absolute error {error.mean():.4g} in the reference, and {spread.mean():.4g} without a model; check "
            "that both have the same unit"
        )
        yield Inference("prediction", value, rule, notable=True)
