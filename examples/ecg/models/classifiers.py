"""The two models, trained on the same rows, and how each is saved and loaded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
import xgboost

from examples.ecg.models import snapshot_ensemble
from examples.ecg.models.snapshot_ensemble import Network, SnapshotEnsemble
from examples.ecg.record.features import FEATURES, FloatArray
from examples.ecg.steps import CLASSES, SNAPSHOTS, XGBOOST

SEED = 1
TREES = 100
TREE_PARAMETERS: Mapping[str, Any] = {
    "objective": "multi:softprob",
    "num_class": len(CLASSES),
    "max_depth": 3,
    "eta": 0.1,
    "min_child_weight": 0.5,
    "nthread": 1,
    "seed": SEED,
}


class Classifier(Protocol):
    """A trained model."""

    def probabilities(self, features: pd.DataFrame) -> FloatArray:
        """Return a column of probabilities for each of `CLASSES`."""

    def save(self, folder: Path) -> None:
        """Write the model's file."""


@dataclass(frozen=True)
class TreeClassifier:
    """Boosted trees of XGBoost."""

    booster: xgboost.Booster

    def probabilities(self, features: pd.DataFrame) -> FloatArray:
        """Return a column of probabilities for each of `CLASSES`."""
        return np.asarray(self.booster.predict(xgboost.DMatrix(features[list(FEATURES)])), np.float64)

    def save(self, folder: Path) -> None:
        """Write the trees as JSON."""
        self.booster.save_model(folder / f"{XGBOOST}.json")


@dataclass(frozen=True)
class SnapshotClassifier:
    """A snapshot ensemble with its file."""

    ensemble: SnapshotEnsemble

    def probabilities(self, features: pd.DataFrame) -> FloatArray:
        """Return a column of probabilities for each of `CLASSES`."""
        return self.ensemble.probabilities(features)

    def save(self, folder: Path) -> None:
        """Write all weights as arrays of numpy, without a pickle."""
        networks = self.ensemble.snapshots
        np.savez(
            folder / f"{SNAPSHOTS}.npz",
            means=self.ensemble.means,
            scales=self.ensemble.scales,
            hidden=np.stack([network.hidden for network in networks]),
            output=np.stack([network.output for network in networks]),
        )


def train_trees(features: pd.DataFrame, symbols: "pd.Series[str]") -> Classifier:
    """Train XGBoost; a class without rows keeps a small probability."""
    rows = xgboost.DMatrix(features[list(FEATURES)], [CLASSES.index(symbol) for symbol in symbols])
    return TreeClassifier(xgboost.train(dict(TREE_PARAMETERS), rows, TREES))


def train_snapshots(features: pd.DataFrame, symbols: "pd.Series[str]") -> Classifier:
    """Train the snapshot ensemble."""
    return SnapshotClassifier(snapshot_ensemble.train(features, symbols, seed=SEED))


TRAINERS: Mapping[str, Callable[[pd.DataFrame, "pd.Series[str]"], Classifier]] = {
    XGBOOST: train_trees,
    SNAPSHOTS: train_snapshots,
}
PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    XGBOOST: {**TREE_PARAMETERS, "trees": TREES},
    SNAPSHOTS: {
        "cycles": snapshot_ensemble.CYCLES,
        "epochs_per_cycle": snapshot_ensemble.EPOCHS,
        "maximal_learning_rate": snapshot_ensemble.RATE,
        "hidden_units": snapshot_ensemble.HIDDEN,
        "batch_rows": snapshot_ensemble.BATCH,
        "momentum": snapshot_ensemble.MOMENTUM,
        "weight_decay": snapshot_ensemble.DECAY,
        "seed": SEED,
    },
}


def load(folder: Path) -> Classifier:
    """Load the model whose file is in a folder."""
    trees = folder / f"{XGBOOST}.json"
    if trees.exists():
        return TreeClassifier(xgboost.Booster(model_file=trees))
    with np.load(folder / f"{SNAPSHOTS}.npz") as arrays:
        networks = (Network(hidden, output) for hidden, output in zip(arrays["hidden"], arrays["output"], strict=True))
        return SnapshotClassifier(SnapshotEnsemble(arrays["means"], arrays["scales"], tuple(networks)))


def predicted(probabilities: FloatArray) -> npt.NDArray[np.str_]:
    """Return the most probable class of each row."""
    classes: npt.NDArray[np.str_] = np.asarray(CLASSES)[probabilities.argmax(axis=1)]
    return classes
