"""The model: a logistic regression of the features, kept as numbers in a JSON file."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from examples.dse.features import FEATURES, LABEL

THRESHOLD = 0.5


@dataclass(frozen=True)
class IndexModel:
    """The means, scales and weights of the features, in the order of `FEATURES`, and the intercept."""

    means: tuple[float, ...]
    scales: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float

    def score(self, days: pd.DataFrame) -> "pd.Series[float]":
        """Return the probability that the index rises on the next trading day; a missing feature counts as its mean."""
        standard = (days[list(FEATURES)] - self.means) / self.scales
        logit = self.intercept + standard.fillna(0.0).to_numpy() @ np.asarray(self.weights)
        return pd.Series(1 / (1 + np.exp(-logit)), days.index)

    def save(self, file: Path) -> None:
        """Write the numbers, replacing the file as a whole."""
        staged = file.with_suffix(".partial")
        staged.write_text(json.dumps(asdict(self), indent=2) + "\n")
        staged.replace(file)

    @classmethod
    def load(cls, file: Path) -> "IndexModel":
        """Read what `save` wrote."""
        numbers = json.loads(file.read_text())
        lists = {name: tuple(numbers[name]) for name in ("means", "scales", "weights")}
        return cls(**lists, intercept=numbers["intercept"])


def train(days: pd.DataFrame) -> IndexModel:
    """Train on days with features whose next day is known; a feature that is always missing gets the weight 0."""
    labelled = days.dropna(subset=[LABEL])
    features = labelled[list(FEATURES)]
    means, scales = features.mean().fillna(0.0), features.std().replace(0.0, 1.0).fillna(1.0)
    fitted = LogisticRegression().fit(((features - means) / scales).fillna(0.0), labelled[LABEL])
    weights = tuple(map(float, fitted.coef_[0]))
    return IndexModel(tuple(map(float, means)), tuple(map(float, scales)), weights, float(fitted.intercept_[0]))
