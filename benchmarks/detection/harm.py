"""Whether a drift is harmful: how much worse the model truly performs, whatever labels were drawn."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from statistics import mean

import numpy as np
import numpy.typing as npt
import pandas as pd

from driftline.engine.results import PREDICTION, SCORE

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ExpectedPerformance:
    """The performance of a model; also used for margins."""

    roc_auc: float
    f1: float
    accuracy: float


MARGINS = ExpectedPerformance(roc_auc=0.03, f1=0.05, accuracy=0.05)
"""A chunk is harmful if one of its metrics is lower than the reference's by more than this."""


def performance(rows: pd.DataFrame, chance: str) -> ExpectedPerformance:
    """Return the expected performance of scored rows whose labels have the probabilities in the column `chance`.

    With labels (0 or 1) as chances it is the realized performance. F1 is the ratio of the expectations.
    """
    chances, scores, predicted = (rows[name].to_numpy(np.float64) for name in (chance, SCORE, PREDICTION))
    right = np.where(predicted == 1, chances, 1.0 - chances)
    f1 = 2.0 * (predicted * chances).sum() / (predicted.sum() + chances.sum())
    return ExpectedPerformance(_roc_auc(scores, chances), float(f1), float(right.mean()))


def _roc_auc(scores: Floats, chances: Floats) -> float:
    """Return ROC AUC with each row weighted as partly positive and partly negative; ties count half."""
    _, place = np.unique(scores, return_inverse=True)
    positive, negative = np.bincount(place, chances), np.bincount(place, 1.0 - chances)
    below = np.cumsum(negative) - negative / 2.0
    return float((positive * below).sum() / (positive.sum() * negative.sum()))


def harmful_chunks(
    reference: Sequence[ExpectedPerformance], chunks: Sequence[ExpectedPerformance], drifts: Sequence[bool]
) -> tuple[bool, ...]:
    """Return for each chunk whether the drift is harmful: on average, and in this chunk or an earlier one."""
    usual = mean_performance(reference)
    drifted = [chunk for chunk, drift in zip(chunks, drifts, strict=True) if drift]
    if not drifted or not is_worse(mean_performance(drifted), usual):
        return tuple(False for _ in chunks)
    worse = [drift and is_worse(chunk, usual) for chunk, drift in zip(chunks, drifts, strict=True)]
    return tuple(drift and any(worse[: place + 1]) for place, drift in enumerate(drifts))


def is_worse(chunk: ExpectedPerformance, usual: ExpectedPerformance) -> bool:
    """Return whether a chunk is worse than usual by more than a margin."""
    return any(
        expected - value > margin
        for value, expected, margin in zip(astuple(chunk), astuple(usual), astuple(MARGINS), strict=True)
    )


def mean_performance(chunks: Sequence[ExpectedPerformance]) -> ExpectedPerformance:
    """Average each metric over chunks."""
    return ExpectedPerformance(*(mean(values) for values in zip(*map(astuple, chunks), strict=True)))
