"""Gradient boosted trees that tell two classes apart, by LightGBM, which is imported when first used. No I/O here."""

import importlib
from typing import Any

import numpy as np

from driftline.engine.columns import FloatArray, IntArray
from driftline.errors import MissingLibrary

TREES = 100
PARAMETERS = {
    "objective": "binary",
    "boosting_type": "gbdt",
    "learning_rate": 0.1,
    "num_leaves": 31,
    "max_depth": -1,
    "min_child_samples": 20,
    "min_child_weight": 1e-3,
    "min_split_gain": 0.0,
    "subsample": 1.0,
    "subsample_freq": 0,
    "subsample_for_bin": 200_000,
    "colsample_bytree": 1.0,
    "reg_alpha": 0.0,
    "reg_lambda": 0.0,
    "random_state": 13,
    "num_threads": 1,
    "deterministic": True,
    "force_col_wise": True,
    "verbosity": -1,
}
"""The defaults of NannyML 0.13.1's domain classifier; one thread and the last lines make a run repeatable."""


def require() -> Any:
    """Return LightGBM; where it is not installed that is a MissingLibrary."""
    try:
        return importlib.import_module("lightgbm")
    except ImportError as exc:
        msg = "the domain classifier needs LightGBM, which is not installed: pip install 'driftline[dle]'"
        raise MissingLibrary(msg) from exc


def fit_and_predict(rows: FloatArray, positive: IntArray, others: FloatArray, categorical: int) -> FloatArray:
    """Fit on `rows` (a row per row, a column per feature) and return the probability of class 1 for `others`.

    The first `categorical` columns hold categories as whole numbers. NaN is a missing value.
    """
    lightgbm = require()
    data = lightgbm.Dataset(rows, positive, categorical_feature=list(range(categorical)), params=PARAMETERS)
    said = lightgbm.train(PARAMETERS, data, num_boost_round=TREES).predict(others)
    return np.asarray(said, dtype=np.float64)
