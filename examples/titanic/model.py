"""The model: boosted trees that are saved for the serving service, and their scores of the reference."""

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from driftline.artifacts.saving import save_trees
from examples.titanic.passengers import CATEGORIES, FEATURES, LABEL

THRESHOLD = 0.5
SPLIT_SEED = 1912


def split(passengers: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the half of the passengers that trains the model, and the half that sails on the voyages."""
    order = np.random.default_rng(SPLIT_SEED).permutation(len(passengers))
    middle = len(passengers) // 2
    return passengers.iloc[order[:middle]], passengers.iloc[order[middle:]]


def train(passengers: pd.DataFrame) -> HistGradientBoostingClassifier:
    """Train on passengers whose fate is known."""
    trees = HistGradientBoostingClassifier(
        max_iter=60, learning_rate=0.05, max_leaf_nodes=8, min_samples_leaf=10, random_state=0
    )
    return trees.fit(numbers(passengers), passengers[LABEL])


def save(model: HistGradientBoostingClassifier, address: str, sample: pd.DataFrame) -> None:
    """Save the model as an artifact that the serving service loads."""
    save_trees(model, address, numbers(sample), threshold=THRESHOLD, categories=CATEGORIES)


def scored(model: HistGradientBoostingClassifier, passengers: pd.DataFrame) -> pd.DataFrame:
    """Return passengers with the model's `score` and `prediction`."""
    score = model.predict_proba(numbers(passengers))[:, 1]
    return passengers.assign(score=score, prediction=(score >= THRESHOLD).astype(int))


def numbers(passengers: pd.DataFrame) -> pd.DataFrame:
    """Return the features as the trees take them: a category is the number of its place, a missing value NaN."""
    numbered = {
        name: passengers[name].map({text: float(place) for place, text in enumerate(texts)})
        for name, texts in CATEGORIES.items()
    }
    return passengers[list(FEATURES)].assign(**numbered)
