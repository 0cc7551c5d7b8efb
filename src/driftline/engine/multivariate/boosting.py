"""A gradient boosting classifier by LightGBM, which is imported when first used. No I/O here."""

import numpy as np

from driftline.engine.frames.columns import FloatArray, IntArray
from driftline.engine.lightgbm_library import import_lightgbm

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
"""The defaults of NannyML 0.13.1's domain classifier; one thread and the last settings make results reproducible."""


PURPOSE = "The domain classifier"


def fit_and_predict(training: FloatArray, labels: IntArray, rows: FloatArray, categorical: int) -> FloatArray:
    """Fit on `training`, (rows, features), with 0/1 labels; return the probability of class 1 for `rows`.

    The first `categorical` columns hold categories as integers. NaN is a missing value.
    """
    lightgbm = import_lightgbm(PURPOSE)
    data = lightgbm.Dataset(training, labels, categorical_feature=list(range(categorical)), params=PARAMETERS)
    probabilities = lightgbm.train(PARAMETERS, data, num_boost_round=TREES).predict(rows)
    return np.asarray(probabilities, dtype=np.float64)
