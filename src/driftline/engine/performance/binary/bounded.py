"""A chunk's scores in bounded memory: pooled into bins where there are too many, at a stated cost. No I/O here."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from driftline.engine.catalogue import SCORE_METRICS
from driftline.engine.columns import FloatArray, IntArray
from driftline.engine.performance.binary.ranked import Ranked
from driftline.engine.performance.binary.scores import Scores
from driftline.engine.results import Metric, ResultKind
from driftline.errors import InvalidInput

FINEST = 2.0**-40
"""The width of the narrowest bins."""
FARTHEST = 2.0**22
"""Scores that are pooled count as at most this far from 0."""


@dataclass(frozen=True, eq=False)
class Bounded:
    """The rows of `scores`, which have at most `limit` distinct ones; performance takes it in the place of `Scores`.

    `width` is that of the bins that scores were pooled into, a power of two; 0 where all are exact. A bin begins at a
    multiple of its width, so that bins of half the width never cross it: parts pooled apart merge without another error
    than that of the wider bins. Its rows have their mean as their score. Predictions and labels stay exact, and so do
    all metrics of these alone.
    """

    scores: Scores
    limit: int
    width: float = 0.0

    @classmethod
    def of(cls, scores: Scores, limit: int) -> Self:
        """Pool the scores into the narrowest bins of which at most `limit` have rows, or leave them where they are few.

        A limit below 2 is an InvalidInput: one score alone orders nothing.
        """
        if limit < 2:
            msg = f"at least 2 distinct scores must be kept, better 1000 or more; the limit is {limit}"
            raise InvalidInput(msg)
        return cls(scores, limit)._pooled()

    def merge(self, other: "Bounded") -> "Bounded":
        """Put two parts of a chunk together, in bins of the wider width or wider still; the smaller limit holds."""
        both = self.scores.merge(other.scores)
        return Bounded(both, min(self.limit, other.limit), max(self.width, other.width))._pooled()

    @property
    def roc_auc_error(self) -> float | None:
        """How far the ROC AUC can be off at most: the sum over bins of positives * negatives / (2 P N).

        A pair in different bins is ordered as before; one in a bin counts half where it counted from 0 to 1. Of the
        labelled rows; 0 where scores are exact, None where there is no ROC AUC.
        """
        rows = self._ranked
        pairs = float(rows.positives.sum()) * float(rows.negatives.sum())
        if not pairs:
            return None
        return float(np.sum(rows.positives * rows.negatives)) / (2 * pairs) if self.width else 0.0

    @property
    def average_precision_error(self) -> float | None:
        """How far the average precision can be off at most, over the labelled rows; 0 where scores are exact.

        For a bin of p positives and n negatives below T positives and F negatives, the precision at each of its
        positives was from (T + 1) / (T + 1 + F + n) to (T + p) / (T + p + F), and is (T + p) / (T + p + F + n) now. The
        larger gap, times p / P, summed over bins. None where there is no row of class 1.
        """
        rows = self._ranked
        positives, negatives = rows.positives[::-1], rows.negatives[::-1]
        hits, alarms = np.cumsum(positives), np.cumsum(negatives)
        if not len(hits) or not hits[-1]:
            return None
        if not self.width:
            return 0.0
        found = positives > 0
        positives, negatives, hits, alarms = (a[found] for a in (positives, negatives, hits, alarms))
        now = hits / (hits + alarms)
        best, least = hits / (hits + alarms - negatives), hits - positives + 1
        gaps = np.maximum(best - now, now - least / (least + alarms))
        return float(np.sum(positives * gaps) / positives.sum())

    def note(self, kind: ResultKind, metric: Metric) -> str | None:
        """Say in plain words that a number of these rows is not exact, and by how much it is off at most if known.

        None where it is exact: what was realized by predictions alone is, and all is while scores are not pooled.
        """
        if not self.width or (kind is ResultKind.REALIZED and metric not in SCORE_METRICS):
            return None
        errors = {Metric.ROC_AUC: self.roc_auc_error, Metric.AVERAGE_PRECISION: self.average_precision_error}
        error = errors.get(metric) if kind is ResultKind.REALIZED else None
        cost = "it is not exact" if error is None else f"it is off by at most {error:.2g}"
        return f"Scores were pooled into bins {self.width:.2g} wide to bound memory: {cost}."

    @property
    def _ranked(self) -> Ranked:
        return Ranked.of(self.scores.labelled.scored)

    def _pooled(self) -> Self:
        """Pool into bins of the own width, or wider ones where the limit asks for it."""
        scored = self.scores.scored.scores
        many = 1 + int(np.count_nonzero(np.diff(scored))) > self.limit
        if not self.width and not many:
            return self
        finest = _bins(scored)
        shift = round(np.log2(self.width / FINEST)) if self.width else 0
        if many:
            shift = max(shift, _shift(finest, self.limit))
        pooled = _means(self.scores, finest >> shift)
        return type(self)(pooled, self.limit, FINEST * 2.0**shift)


def _bins(scores: FloatArray) -> IntArray:
    """Number the bins of the finest width from the lowest score on; whole numbers from 0 to 2**63 - 1, ascending."""
    return np.floor(_inside(scores) / FINEST).astype(np.int64) + round(FARTHEST / FINEST)


def _inside(scores: FloatArray) -> FloatArray:
    return np.clip(scores, -FARTHEST, np.nextafter(FARTHEST, 0))


def _shift(bins: IntArray, limit: int) -> int:
    """Return how many times the width must double until at most `limit` bins have rows.

    Two neighbours share a bin once every bit in which they differ is dropped.
    """
    bits = np.sort(_bit_lengths(bins[1:] ^ bins[:-1]))
    return int(bits[-limit])


def _bit_lengths(numbers: IntArray) -> IntArray:
    """Count the bits of whole numbers from 0 on; in halves, since a float does not hold all bits of a large one."""
    high, low = (np.frexp(half.astype(np.float64))[1] for half in (numbers >> 32, numbers & 0xFFFF_FFFF))
    lengths: IntArray = np.where(high > 0, high + 32, low)
    return lengths


def _means(scores: Scores, bins: IntArray) -> Scores:
    """Give the rows of each bin their mean score; `bins` are those of the scored rows, which come first."""
    own, counts = _inside(scores.scored.scores), scores.scored.counts
    firsts = np.flatnonzero(np.diff(bins, prepend=-1) != 0)
    lasts = np.append(firsts[1:], len(bins)) - 1
    means = np.add.reduceat(own * counts, firsts) / np.add.reduceat(counts, firsts)
    # Rounding must not take a mean out of its bin, nor change a score that is alone in it.
    means = np.clip(means, own[firsts], own[lasts])
    spread = np.repeat(means, lasts - firsts + 1)
    pooled = Scores(
        np.concatenate((spread, scores.scores[len(own) :])), scores.predictions, scores.labels, scores.counts
    )
    nothing = scores.where(np.zeros(len(scores.counts), dtype=bool))
    return pooled.merge(nothing)  # counts anew what has become equal
