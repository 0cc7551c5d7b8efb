"""A picture of a trained model on its reference: ROC curve, calibration, importances."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from driftline.engine.results import LABEL, SCORE

BINS = 10
SHOWN_FEATURES = 12


def plot_evaluation(reference: pd.DataFrame, importances: Mapping[str, float], target: Path) -> None:
    """Write the picture; rows of the reference without a label are left out."""
    labelled = reference[reference[LABEL].notna()]
    label, score = labelled[LABEL].to_numpy(np.float64), labelled[SCORE].to_numpy(np.float64)
    figure = Figure(figsize=(13, 4), layout="constrained")
    FigureCanvasAgg(figure)
    roc, calibration, shares = figure.subplots(1, 3)
    roc.plot(*_roc(label, score))
    roc.plot([0, 1], [0, 1], linestyle=":", color="gray")
    roc.set(title="ROC curve of the reference", xlabel="false positive rate", ylabel="true positive rate")
    calibration.plot(*_calibration(label, score), marker="o")
    calibration.plot([0, 1], [0, 1], linestyle=":", color="gray")
    calibration.set(title="Calibration by tenths of the score", xlabel="mean score", ylabel="share of label 1")
    names = [*importances][:SHOWN_FEATURES][::-1]
    shares.barh(names, [importances[name] for name in names])
    shares.set(title="Importances", xlabel="share of the impurity decrease")
    figure.savefig(target, dpi=100)


def _roc(label: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rates of false and of true positives by falling threshold."""
    ordered = label[np.argsort(-score, kind="stable")]
    positives, negatives = max(ordered.sum(), 1), max((1 - ordered).sum(), 1)
    return np.cumsum(1 - ordered) / negatives, np.cumsum(ordered) / positives


def _calibration(label: np.ndarray, score: np.ndarray) -> tuple[list[float], list[float]]:
    """Return the mean score and the share of label 1 of each tenth of the rows by score."""
    parts = np.array_split(np.argsort(score, kind="stable"), BINS)
    filled = [part for part in parts if len(part)]
    return [float(score[part].mean()) for part in filled], [float(label[part].mean()) for part in filled]
