"""When a drift hurts: by how much the model does worse in truth, not in the labels that happened to be drawn."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from statistics import mean

import numpy as np
import numpy.typing as npt
import pandas as pd

from driftline.engine.results import PREDICTION, SCORE

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Performance:
    """How well a model does; also used for margins."""

    roc_auc: float
    f1: float
    accuracy: float


MARGINS = Performance(roc_auc=0.03, f1=0.05, accuracy=0.05)
"""A chunk hurts where one of these is further below that of the reference."""


def performance(rows: pd.DataFrame, chance: str) -> Performance:
    """Give the performance to expect of scored rows, their labels drawn with probabilities in the column `chance`.

    With labels (0 or 1) for chances it is the realized performance. F1 is the ratio of the expectations.
    """
    chances, scores, said = (rows[name].to_numpy(np.float64) for name in (chance, SCORE, PREDICTION))
    right = np.where(said == 1, chances, 1.0 - chances)
    f1 = 2.0 * (said * chances).sum() / (said.sum() + chances.sum())
    return Performance(_roc_auc(scores, chances), float(f1), float(right.mean()))


def _roc_auc(scores: Floats, chances: Floats) -> float:
    """Weigh each row as so much of a positive and the rest of a negative one; ties count half."""
    _, place = np.unique(scores, return_inverse=True)
    positive, negative = np.bincount(place, chances), np.bincount(place, 1.0 - chances)
    below = np.cumsum(negative) - negative / 2.0
    return float((positive * below).sum() / (positive.sum() * negative.sum()))


def hurting(
    reference: Sequence[Performance], chunks: Sequence[Performance], drifts: Sequence[bool]
) -> tuple[bool, ...]:
    """Say of each chunk whether the drift hurts: on average over all its chunks, and in this chunk or one before."""
    usual = mean_performance(reference)
    drifted = [chunk for chunk, drift in zip(chunks, drifts, strict=True) if drift]
    if not drifted or not hurts(mean_performance(drifted), usual):
        return tuple(False for _ in chunks)
    own = [drift and hurts(chunk, usual) for chunk, drift in zip(chunks, drifts, strict=True)]
    return tuple(drift and any(own[: place + 1]) for place, drift in enumerate(drifts))


def hurts(one: Performance, usual: Performance) -> bool:
    """Say whether one is worse than usual by more than a margin."""
    return any(u - o > m for o, u, m in zip(astuple(one), astuple(usual), astuple(MARGINS), strict=True))


def mean_performance(chunks: Sequence[Performance]) -> Performance:
    """Average each metric over chunks."""
    return Performance(*(mean(values) for values in zip(*map(astuple, chunks), strict=True)))
