"""A model of one loss, fitted by LightGBM and stored as LightGBM's text. No I/O here."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from driftline.engine.frames.columns import FloatArray
from driftline.engine.lightgbm_library import import_lightgbm

PURPOSE = "Estimating a regression model's performance"
ROUNDS = 100
SETTINGS: dict[str, Any] = {
    "objective": "regression",
    "num_threads": 1,
    "deterministic": True,
    "force_col_wise": True,
    "verbosity": -1,
}
"""LightGBM's defaults, as in NannyML, on one thread: the same rows give the same model on any machine."""


@dataclass(frozen=True)
class LossModel:
    """A fitted model, as text. Equal texts predict the same."""

    text: str = field(repr=False)

    def __call__(self, features: FloatArray) -> FloatArray:
        """Return the expected loss of each row, (rows,); never below 0."""
        if not len(features):
            return np.empty(0)
        predicted = np.asarray(self._booster.predict(features, num_threads=1), dtype=np.float64)
        return np.maximum(0.0, predicted)

    @cached_property
    def _booster(self) -> Any:
        return import_lightgbm(PURPOSE).Booster(model_str=self.text)


def fit(features: FloatArray, losses: FloatArray, categorical: list[int]) -> LossModel:
    """Fit a model of `losses`, (rows,), on `features`, (rows, features), in time order.

    Sums depend on the order of rows by rounding, so another order may give a different model. Raises MissingLibrary
    without LightGBM.
    """
    lightgbm = import_lightgbm(PURPOSE)
    rows = lightgbm.Dataset(features, losses, categorical_feature=categorical, params=SETTINGS)
    return LossModel(lightgbm.train(SETTINGS, rows, ROUNDS, keep_training_booster=True).model_to_string())
