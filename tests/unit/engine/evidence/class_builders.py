"""References and streams of a model with three classes, drawn for the tests of evidence."""

import numpy as np
from numpy.typing import NDArray

from driftline.engine.evidence.by_problem.multiclass_evidence import FittedMulticlassEvidence, fit_evidence
from driftline.engine.evidence.scores.score_counts import ScoreCounts
from driftline.engine.performance.multiclass.rows import MulticlassRows

CLASSES = ("a", "b", "c")
_DRAWN = np.random.default_rng(1).normal(size=(20, 3)) * 1.3 + np.array([0.8, 0.0, -0.8])
SCORES = np.exp(_DRAWN) / np.exp(_DRAWN).sum(1, keepdims=True)
"""Few distinct vectors of scores, all equally frequent, so that counting takes little time."""


def chances_of(change: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the chances of the classes for each score vector; `change`, by class, is added to the log scores."""
    weights = SCORES * np.exp(change)
    return np.asarray(weights / weights.sum(-1, keepdims=True))


def rows(random: np.random.Generator, count: int, change: NDArray[np.float64]) -> MulticlassRows:
    """Draw the rows of one chunk; each counts once."""
    vectors = random.integers(0, len(SCORES), count)
    labels = (random.random((count, 1)) > chances_of(change)[vectors].cumsum(-1)).sum(-1)
    return MulticlassRows(SCORES[vectors], SCORES[vectors].argmax(1), labels, np.ones(count, dtype=np.int64))


def reference(chunks: int = 21, size: int = 950, spread: float = 0.0, seed: int = 0) -> FittedMulticlassEvidence:
    """Fit a reference of calibrated scores, whose log scores vary between chunks by `spread`."""
    random = np.random.default_rng(seed)
    parts = [rows(random, size, random.normal(0, spread, 3)) for _ in range(chunks)]
    names = ("scores", "predictions", "labels", "counts")
    scores, predictions, labels, counts = (np.concatenate([getattr(part, name) for part in parts]) for name in names)
    all_rows = MulticlassRows(scores, predictions, labels, counts)
    fitted = fit_evidence(all_rows, CLASSES, [size] * chunks)
    assert isinstance(fitted, FittedMulticlassEvidence)
    return fitted


def drawn(
    fitted: FittedMulticlassEvidence, random: np.random.Generator, chunks: int, size: int, change: NDArray[np.float64]
) -> ScoreCounts:
    """Draw the counts of chunks with all labels; `change` of shape (chunks, 3), or (3,), is that of the log scores."""
    changes = np.broadcast_to(change, (chunks, len(CLASSES)))
    by_vector = random.multinomial(size, np.full(len(SCORES), 1 / len(SCORES)), chunks)
    by_label = random.multinomial(by_vector, chances_of(changes[:, None, :]))
    counts = ScoreCounts(*(np.zeros((chunks, *fitted.empty_counts().scored.shape), np.int64) for _ in range(3)))
    for number, part in enumerate(fitted.parts):
        bins = part.bins.bin_of_cell[part.bins.grid.cells(SCORES[:, number])]
        predicted = (SCORES.argmax(1) == number).astype(np.int64)
        for vector, (row, place) in enumerate(zip(predicted, bins, strict=True)):
            counts.scored[:, number, row, place] += by_vector[:, vector]
            counts.positives[:, number, row, place] += by_label[:, vector, number]
    return ScoreCounts(counts.scored, counts.scored, counts.positives)
