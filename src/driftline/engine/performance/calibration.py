"""Calibration of scores to probabilities by isotonic regression, and the test whether it helps. No I/O here.

Decision and curve equal those of NannyML 0.13.1 with scikit-learn up to rounding; neither library is needed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np

from driftline.engine.frames.columns import FloatArray, IntArray
from driftline.engine.performance.isotonic import SortedRows, knots
from driftline.engine.performance.ranks import roc_auc, sum_by_score
from driftline.engine.performance.scores import are_probabilities

SPLITS = 10
TEST_SHARE = 0.1
BINS = 10
SEED = 42
"""The seed of NannyML's splits."""
SEPARATED_ROC_AUC = 0.999
"""Above this ROC AUC the classes overlap too little for a calibration."""
MINIMUM_ROWS = 20
"""Below this many rows, or two of a class, the splits are too small for a test."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """An increasing, piecewise linear curve from score to probability, by its knots; without knots, the identity."""

    scores: FloatArray
    probabilities: FloatArray

    def __call__(self, scores: FloatArray) -> FloatArray:
        """Return the probability of class 1 for each score; the curve is constant beyond the outer knots."""
        return np.interp(scores, self.scores, self.probabilities) if len(self.scores) else np.clip(scores, 0.0, 1.0)

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON-compatible values."""
        return {"scores": self.scores.tolist(), "probabilities": self.probabilities.tolist()}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        return cls(np.asarray(state["scores"], dtype=np.float64), np.asarray(state["probabilities"], dtype=np.float64))


IDENTITY = Calibration(np.empty(0), np.empty(0))


def fit(scores: FloatArray, labels: IntArray) -> Calibration:
    """Fit the curve on the reference's labelled rows, in time order; return the identity if the curve does not help.

    The curve is used if, over ten stratified splits, it lowers the expected calibration error of the held-out rows; and
    always for scores outside 0 to 1, which are not probabilities.
    """
    order = np.argsort(scores)
    sorted_rows = SortedRows.of(scores[order], labels[order])
    if not are_probabilities(scores):
        return Calibration(*knots(sorted_rows))
    return Calibration(*knots(sorted_rows)) if _calibration_helps(scores, labels, order, sorted_rows) else IDENTITY


def can_fit(labels: IntArray) -> bool:
    """Return whether the reference has enough labels to test a calibration."""
    return len(labels) >= MINIMUM_ROWS and int(np.bincount(labels, minlength=2).min()) >= 2


def bin_edges(rows: int) -> IntArray:
    """Return the ranks at which bins with equal numbers of rows begin and end: 10 bins, the last up to 9 rows larger.

    As NannyML 0.13.1: below 100 rows there can be some more bins, below 20 half as many bins as rows, below 4 none.
    """
    if rows < 4:
        return np.empty(0, dtype=np.int64)
    edges = np.arange(0, rows + 1, rows // min(BINS, rows // 2), dtype=np.int64)
    edges[-1] = rows
    return edges


def _calibration_helps(scores: FloatArray, labels: IntArray, order: IntArray, sorted_rows: SortedRows) -> bool:
    """Return whether a curve fitted on 90 % of the rows improves the other 10 %; `order` sorts all rows by score."""
    if _roc_auc(sorted_rows) > SEPARATED_ROC_AUC:
        return False
    held_out, raw, calibrated = [], [], []
    for test in _splits(labels):
        is_training = np.ones(len(labels), dtype=bool)
        is_training[test] = False
        curve = Calibration(*knots(sorted_rows[is_training[order]]))
        held_out.append(labels[test])
        raw.append(scores[test])
        calibrated.append(curve(scores[test]))
    truth = np.concatenate(held_out)
    return _calibration_error(truth, np.concatenate(raw)) > _calibration_error(truth, np.concatenate(calibrated))


def _roc_auc(rows: SortedRows) -> float:
    positives = rows.labels.astype(np.float64)
    _, positives, negatives = sum_by_score(rows.scores, positives, 1 - positives)
    return roc_auc(positives, negatives) or 0.0


def _calibration_error(labels: IntArray, probabilities: FloatArray) -> float:
    """Return the expected calibration error: the mean gap of probability and share of class 1 over equal bins."""
    order = probabilities.argsort()
    edges = bin_edges(len(labels))
    gaps = [
        (high - low) / len(labels) * abs(np.mean(probabilities[order[low:high]]) - np.mean(labels[order[low:high]]))
        for low, high in pairwise(edges.tolist())
    ]
    return float(np.sum(gaps))


def _splits(labels: IntArray) -> Iterator[IntArray]:
    """Yield ten times the positions of the 10 % of rows that are held out, stratified by label and shuffled.

    The sequence equals that of scikit-learn's StratifiedShuffleSplit(10, test_size=0.1, random_state=42); the other
    rows are for training.
    """
    random = np.random.RandomState(SEED)
    test_rows = int(np.ceil(TEST_SHARE * len(labels)))
    members = [np.flatnonzero(labels == label) for label in (0, 1)]
    sizes = np.array([len(positions) for positions in members])
    train = np.empty(len(labels) - test_rows, dtype=np.int64)
    for _ in range(SPLITS):
        trains = _allocate(sizes, len(train), random)
        tests = _allocate(sizes - trains, test_rows, random)
        shuffled = [random.permutation(positions) for positions in members]
        random.shuffle(train)  # keeps the random state equal to scikit-learn's; the order itself does not matter
        yield random.permutation(
            np.concatenate([r[n : n + k] for r, n, k in zip(shuffled, trains, tests, strict=True)])
        )


def _allocate(sizes: IntArray, draws: int, random: np.random.RandomState) -> IntArray:
    """Allocate `draws` to two classes in proportion to their sizes; the larger remainder rounds up, ties at random."""
    exact = sizes / sizes.sum() * draws
    shares: IntArray = np.floor(exact).astype(np.int64)
    missing = draws - int(shares.sum())
    if missing:
        remainders = exact - shares
        shares[random.choice(np.flatnonzero(remainders == remainders.max()), size=missing, replace=False)] += 1
    return shares
