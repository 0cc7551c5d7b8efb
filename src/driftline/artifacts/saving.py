"""Saves the trees of an estimator as an artifact that is read without the library that trained them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import treelite

from driftline.artifacts.inputs import Inputs, Matrix
from driftline.artifacts.loading import DESCRIPTION, TREES, TREES_FORMAT
from driftline.artifacts.output_rule import OutputRule, ScoreCalibration
from driftline.artifacts.scorer import Scorer
from driftline.artifacts.tree_output import tree_output
from driftline.engine.catalogue import Problem
from driftline.errors import InvalidInput
from driftline.objects import open_store

SAME = 1e-6
"""How far scores of the saved trees may be from those of the estimator."""


def save_trees(
    estimator: Any,
    address: str,
    sample: pd.DataFrame,
    *,
    threshold: float = 0.5,
    categories: Mapping[str, Sequence[str]] | None = None,
    calibration: ScoreCalibration | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Save an estimator of scikit-learn (forests, boosted trees, isolation forests excepted) with its features.

    `sample` are some rows as the estimator takes them, in numbers; its columns are the features, and the saved trees
    must score it as the estimator does. `categories` lists the categories of a categorical feature in the order of the
    numbers that stand for them. A binary model predicts 1 from `threshold` on.

    Raises:
        InvalidInput: the estimator is not made of trees, or the saved trees do not score the sample as it does.
        StoreRefused, StoreUnavailable: as `driftline.objects` says.

    >>> import tempfile
    >>> import pandas as pd
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from driftline.artifacts.loading import load_scorer
    >>> from driftline.artifacts.saving import save_trees
    >>> rows = pd.DataFrame({"usage": [1.0, 2.0, 8.0, 9.0]})
    >>> estimator = RandomForestClassifier(5, random_state=0).fit(rows, [0, 0, 1, 1])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_trees(estimator, folder, rows)
    ...     scorer = load_scorer(folder)
    >>> [scored.prediction for scored in scorer.score([{"usage": 1.5}, {"usage": 8.5}])]
    [0, 1]
    """
    trees, classes = convert_trees(estimator, sample), _classes(estimator)
    problem = _problem(classes)
    output_rule = OutputRule(problem, classes if problem is Problem.MULTICLASS else (), threshold, calibration)
    numbered = {name: {text: number for number, text in enumerate(names)} for name, names in (categories or {}).items()}
    inputs = Inputs(tuple(map(str, sample.columns)), numbered)
    save_scorer(Scorer(inputs, trees, output_rule, details or {}), address)


def save_scorer(scorer: Scorer, address: str) -> None:
    """Save a scorer, which may have been a pipeline of Spark, as trees; the description last.

    Raises:
        StoreRefused, StoreUnavailable: as `driftline.objects` says.
    """
    store = open_store(address)
    store.put(TREES, scorer.trees.serialize_bytes())
    store.put(DESCRIPTION, _description(scorer.inputs, scorer.output_rule, scorer.details))


def convert_trees(estimator: Any, sample: pd.DataFrame) -> treelite.Model:
    """Return the trees of an estimator, which score the sample as it does.

    Raises:
        InvalidInput: the estimator is not made of trees, or its trees do not score the sample as it does.
    """
    trees = _converted(estimator)
    _require_same(estimator, trees, sample, _problem(_classes(estimator)))
    return trees


def _classes(estimator: Any) -> tuple[str, ...]:
    return tuple(map(str, getattr(estimator, "classes_", ())))


def _problem(classes: Sequence[str]) -> Problem:
    return Problem.REGRESSION if not classes else Problem.BINARY if len(classes) == 2 else Problem.MULTICLASS


def _converted(estimator: Any) -> treelite.Model:
    try:
        return treelite.sklearn.import_model(estimator)
    except (NotImplementedError, treelite.TreeliteError) as error:
        raise InvalidInput(
            f"{type(estimator).__name__} cannot be saved as trees ({error}); use a forest or boosted trees."
        ) from error


def _require_same(estimator: Any, trees: treelite.Model, sample: pd.DataFrame, problem: Problem) -> None:
    """Compare the scores of a sample, in which an estimator that has a step of its own before its trees differs."""
    if sample.empty:
        raise InvalidInput("The sample has no rows; pass some, so that the saved trees can be compared.")
    output = tree_output(trees, sample.to_numpy(np.float64))
    expected: Matrix = (
        np.asarray(estimator.predict(sample), np.float64).reshape(-1, 1)
        if problem is Problem.REGRESSION
        else np.asarray(estimator.predict_proba(sample), np.float64)
    )
    if problem is Problem.BINARY:
        output, expected = output[:, -1:], expected[:, -1:]
    distance = float(np.abs(output - expected).max())
    if not distance <= SAME * max(1.0, float(np.abs(expected).max())):
        raise InvalidInput(
            f"The saved trees score the sample differently from the estimator, by up to {distance:.2g}; save an "
            "estimator without further steps."
        )


def _description(inputs: Inputs, output_rule: OutputRule, details: Mapping[str, Any]) -> bytes:
    """Return the content of `model.json`."""
    calibration = output_rule.calibration
    described = {
        "format": TREES_FORMAT,
        "problem": output_rule.problem,
        "features": inputs.features,
        "categories": inputs.categories,
        "logged": sorted(inputs.logged),
        "filled": inputs.filled,
        "classes": output_rule.classes,
        "threshold": output_rule.threshold,
        "calibration": calibration and {"intercept": calibration.intercept, "slope": calibration.slope},
        "details": details,
    }
    return (json.dumps(described, indent=2, allow_nan=False) + "\n").encode()
