"""Turns scores into probabilities where that helps: isotonic regression, and the test whether to use it. No I/O here.

Decision and curve equal those of NannyML 0.13.1 on scikit-learn, but for rounding, without needing either.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np

from driftline.engine.columns import FloatArray, IntArray
from driftline.engine.performance.binary.ranked import Ranked, roc_auc
from driftline.engine.performance.binary.scores import Scores
from driftline.engine.performance.isotonic import Ascending, knots

SPLITS = 10
TEST_SHARE = 0.1
BINS = 10
SEED = 42
"""The seed of NannyML's splits."""
SEPARATED = 0.999
"""Above this ROC AUC there is next to nothing to calibrate on."""
LEAST_ROWS = 20
"""Below this many rows, or two of a class, splits are too small to test anything."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """A rising, piecewise linear curve from score to probability, by its knots; without knots, the score itself."""

    scores: FloatArray
    probabilities: FloatArray

    def __call__(self, scores: FloatArray) -> FloatArray:
        """Return the probability of class 1 for each score; beyond the knots the curve goes on level."""
        return np.interp(scores, self.scores, self.probabilities) if len(self.scores) else scores

    def to_dict(self) -> dict[str, Any]:
        """Return the state as values that JSON has."""
        return {"scores": self.scores.tolist(), "probabilities": self.probabilities.tolist()}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return what `to_dict` was made from."""
        return cls(np.asarray(state["scores"], dtype=np.float64), np.asarray(state["probabilities"], dtype=np.float64))


IDENTITY = Calibration(np.empty(0), np.empty(0))


def fit(scores: FloatArray, labels: IntArray) -> Calibration:
    """Fit the curve on the reference's labelled rows, in the order of time, or keep the scores where that is no worse.

    The curve is used where, over ten stratified splits, it lowers the expected calibration error of rows held out.
    """
    order = np.argsort(scores)
    ascending = Ascending.of(scores[order], labels[order])
    return Calibration(*knots(ascending)) if _needed(scores, labels, order, ascending) else IDENTITY


def can_fit(labels: IntArray) -> bool:
    """Say whether the reference's labels are enough to test a calibration on."""
    return len(labels) >= LEAST_ROWS and int(np.bincount(labels, minlength=2).min()) >= 2


def bin_edges(rows: int) -> IntArray:
    """Return the ranks at which bins of equally many rows begin and end: 10 bins, the last up to 9 rows longer.

    As NannyML 0.13.1: below 100 rows there may be a few bins more, below 20 there are half as many as rows, and below 4
    none.
    """
    if rows < 4:
        return np.empty(0, dtype=np.int64)
    edges = np.arange(0, rows + 1, rows // min(BINS, rows // 2), dtype=np.int64)
    edges[-1] = rows
    return edges


def _needed(scores: FloatArray, labels: IntArray, order: IntArray, ascending: Ascending) -> bool:
    """Try the curve on rows held out; each split picks its rows from the one `order` by score."""
    if _separation(ascending) > SEPARATED:
        return False
    truth, raw, calibrated = [], [], []
    for test in _splits(labels):
        trained = np.ones(len(labels), dtype=bool)
        trained[test] = False
        curve = Calibration(*knots(ascending[trained[order]]))
        truth.append(labels[test])
        raw.append(scores[test])
        calibrated.append(curve(scores[test]))
    held = np.concatenate(truth)
    return _calibration_error(held, np.concatenate(raw)) > _calibration_error(held, np.concatenate(calibrated))


def _separation(rows: Ascending) -> float:
    ones = np.ones(len(rows.scores), dtype=np.int64)
    return roc_auc(Ranked.of(Scores(rows.scores, ones, rows.labels.astype(np.int64), ones))) or 0.0


def _calibration_error(labels: IntArray, probabilities: FloatArray) -> float:
    """Return the expected calibration error: the mean gap of probability and share over bins of equally many rows."""
    order = probabilities.argsort()
    edges = bin_edges(len(labels))
    gaps = [
        (high - low) / len(labels) * abs(np.mean(probabilities[order[low:high]]) - np.mean(labels[order[low:high]]))
        for low, high in pairwise(edges.tolist())
    ]
    return float(np.sum(gaps))


def _splits(labels: IntArray) -> Iterator[IntArray]:
    """Yield ten times the places of the 10 % of rows that are held out, stratified by label and shuffled.

    The sequence is the one of scikit-learn's StratifiedShuffleSplit(10, test_size=0.1, random_state=42); all other rows
    are the ones to train on.
    """
    random = np.random.RandomState(SEED)
    tested = int(np.ceil(TEST_SHARE * len(labels)))
    members = [np.flatnonzero(labels == label) for label in (0, 1)]
    sizes = np.array([len(places) for places in members])
    train = np.empty(len(labels) - tested, dtype=np.int64)
    for _ in range(SPLITS):
        trains = _share_out(sizes, len(train), random)
        tests = _share_out(sizes - trains, tested, random)
        shuffled = [random.permutation(places) for places in members]
        random.shuffle(train)  # its order does not matter, but what is drawn next does
        yield random.permutation(
            np.concatenate([r[n : n + k] for r, n, k in zip(shuffled, trains, tests, strict=True)])
        )


def _share_out(sizes: IntArray, draws: int, random: np.random.RandomState) -> IntArray:
    """Share `draws` out over two classes in proportion to their sizes; the larger remainder gains, or luck decides."""
    exact = sizes / sizes.sum() * draws
    shares: IntArray = np.floor(exact).astype(np.int64)
    missing = draws - int(shares.sum())
    if missing:
        remainders = exact - shares
        shares[random.choice(np.flatnonzero(remainders == remainders.max()), size=missing, replace=False)] += 1
    return shares
