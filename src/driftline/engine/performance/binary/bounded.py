"""The scores of a chunk in bounded memory: pooled into bins if too many, with known error bounds. No I/O here."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from driftline.engine.catalogue import SCORE_METRICS
from driftline.engine.frames.columns import FloatArray, IntArray
from driftline.engine.performance.binary.ranked import RankedRows
from driftline.engine.performance.binary.rows import BinaryRows
from driftline.engine.results import Metric, ResultKind
from driftline.errors import InvalidInput

MINIMUM_WIDTH = 2.0**-40
"""The width of the narrowest bins."""
MAXIMUM_SCORE = 2.0**22
"""The absolute value to which pooled scores are clipped."""


@dataclass(frozen=True, eq=False)
class BoundedRows:
    """Rows with at most `limit` distinct scores; a summary that can replace `BinaryRows`.

    `width` is that of the bins into which scores were pooled, a power of two; 0 if all scores are exact. A bin begins
    at a multiple of its width, so bins of half the width never cross its border: separately pooled parts merge without
    more error than that of the wider bins. The rows of a bin get their mean score. Predictions and labels stay exact,
    and so do the metrics that depend on them only.
    """

    rows: BinaryRows
    limit: int
    width: float = 0.0

    @classmethod
    def of(cls, rows: BinaryRows, limit: int) -> Self:
        """Pool the scores into the narrowest bins of which at most `limit` have rows; keep exact scores if few.

        Raises InvalidInput for a limit below 2, since a single score ranks nothing.
        """
        if limit < 2:
            msg = f"the limit of distinct scores is {limit}; it must be at least 2, and should be 1000 or more"
            raise InvalidInput(msg)
        return cls(rows, limit)._pool()

    def merge(self, other: "BoundedRows") -> "BoundedRows":
        """Merge two parts of a chunk, in bins of at least the larger width; the smaller limit applies."""
        rows = self.rows.merge(other.rows)
        return BoundedRows(rows, min(self.limit, other.limit), max(self.width, other.width))._pool()

    @property
    def roc_auc_error(self) -> float | None:
        """The maximum error of the ROC AUC: the sum over bins of positives * negatives / (2 P N).

        Pairs in different bins keep their order; a pair within a bin counts half instead of 0 to 1. Over the labelled
        rows; 0 if scores are exact, None if there is no ROC AUC.
        """
        ranked = self._ranked
        pairs = float(ranked.positives.sum()) * float(ranked.negatives.sum())
        if not pairs:
            return None
        return float(np.sum(ranked.positives * ranked.negatives)) / (2 * pairs) if self.width else 0.0

    @property
    def average_precision_error(self) -> float | None:
        """The maximum error of the average precision over the labelled rows; 0 if scores are exact.

        For a bin of p positives and n negatives below T positives and F negatives, the exact precision at each of its
        positives is from (T + 1) / (T + 1 + F + n) to (T + p) / (T + p + F), the pooled one (T + p) / (T + p + F + n).
        The error is the sum over bins of the larger gap times p / P. None without rows of class 1.
        """
        ranked = self._ranked
        positives, negatives = ranked.positives[::-1], ranked.negatives[::-1]
        true_positives, false_positives = np.cumsum(positives), np.cumsum(negatives)
        if not len(true_positives) or not true_positives[-1]:
            return None
        if not self.width:
            return 0.0
        has_positives = positives > 0
        positives, negatives, true_positives, false_positives = (
            counts[has_positives] for counts in (positives, negatives, true_positives, false_positives)
        )
        pooled = true_positives / (true_positives + false_positives)
        highest = true_positives / (true_positives + false_positives - negatives)
        first = true_positives - positives + 1
        gaps = np.maximum(highest - pooled, pooled - first / (first + false_positives))
        return float(np.sum(positives * gaps) / positives.sum())

    def note(self, kind: ResultKind, metric: Metric) -> str | None:
        """Return a note that a result is not exact, with its maximum error if known; None if it is exact.

        Results are exact unless scores were pooled; realized metrics of predictions are always exact.
        """
        if not self.width or (kind is ResultKind.REALIZED and metric not in SCORE_METRICS):
            return None
        errors = {Metric.ROC_AUC: self.roc_auc_error, Metric.AVERAGE_PRECISION: self.average_precision_error}
        error = errors.get(metric) if kind is ResultKind.REALIZED else None
        consequence = "the value is not exact" if error is None else f"the value is off by at most {error:.2g}"
        return f"Scores were pooled into bins of width {self.width:.2g} to bound memory: {consequence}."

    @property
    def _ranked(self) -> RankedRows:
        return RankedRows.of(self.rows.labelled.scored)

    def _pool(self) -> Self:
        """Pool into bins of the current width, or wider ones if the limit requires it."""
        scores = self.rows.scored.scores
        too_many = 1 + int(np.count_nonzero(np.diff(scores))) > self.limit
        if not self.width and not too_many:
            return self
        bins = _narrowest_bins(scores)
        doublings = round(np.log2(self.width / MINIMUM_WIDTH)) if self.width else 0
        if too_many:
            doublings = max(doublings, _required_doublings(bins, self.limit))
        pooled = _replace_by_means(self.rows, bins >> doublings)
        return type(self)(pooled, self.limit, MINIMUM_WIDTH * 2.0**doublings)


def _narrowest_bins(scores: FloatArray) -> IntArray:
    """Return the number of each score's bin of the narrowest width, an integer from 0 to 2**63 - 1, ascending."""
    return np.floor(_clip(scores) / MINIMUM_WIDTH).astype(np.int64) + round(MAXIMUM_SCORE / MINIMUM_WIDTH)


def _clip(scores: FloatArray) -> FloatArray:
    return np.clip(scores, -MAXIMUM_SCORE, np.nextafter(MAXIMUM_SCORE, 0))


def _required_doublings(bins: IntArray, limit: int) -> int:
    """Return how many times the width must double until at most `limit` bins have rows.

    Two neighboring bins merge once every bit in which their numbers differ is dropped.
    """
    bits = np.sort(_bit_lengths(bins[1:] ^ bins[:-1]))
    return int(bits[-limit])


def _bit_lengths(numbers: IntArray) -> IntArray:
    """Return the bit lengths of non-negative integers, computed in halves, since a float cannot hold 63 bits."""
    high, low = (np.frexp(half.astype(np.float64))[1] for half in (numbers >> 32, numbers & 0xFFFF_FFFF))
    lengths: IntArray = np.where(high > 0, high + 32, low)
    return lengths


def _replace_by_means(rows: BinaryRows, bins: IntArray) -> BinaryRows:
    """Replace the scores of each bin by their mean; `bins` are those of the scored rows, which come first."""
    scores, counts = _clip(rows.scored.scores), rows.scored.counts
    firsts = np.flatnonzero(np.diff(bins, prepend=-1) != 0)
    lasts = np.append(firsts[1:], len(bins)) - 1
    means = np.add.reduceat(scores * counts, firsts) / np.add.reduceat(counts, firsts)
    # Rounding must neither move a mean out of its bin nor change a score that is alone in it.
    means = np.clip(means, scores[firsts], scores[lasts])
    repeated = np.repeat(means, lasts - firsts + 1)
    pooled = BinaryRows(
        np.concatenate((repeated, rows.scores[len(scores) :])), rows.predictions, rows.labels, rows.counts
    )
    empty = rows.where(np.zeros(len(rows.counts), dtype=bool))
    return pooled.merge(empty)  # adds up the counts of rows that have become equal
