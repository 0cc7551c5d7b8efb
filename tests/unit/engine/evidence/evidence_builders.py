"""References and streams of scores, drawn for the tests of evidence."""

from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from driftline.engine.evidence.by_problem.binary_evidence import FittedBinaryEvidence
from driftline.engine.evidence.by_problem.binary_fit import fit_evidence, fit_on_counts
from driftline.engine.evidence.chunk_evidence import DetectorInput
from driftline.engine.evidence.scores.counts import Counts
from driftline.engine.evidence.scores.score_bins import ScoreBins
from driftline.engine.evidence.scores.score_counts import ScoreCounts

Floats = NDArray[np.float64]
START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SCORES = np.linspace(0.02, 0.9, 12)
"""Few distinct scores, so that drawing and counting take little time."""
SHARES = np.exp(-3.0 * SCORES) / np.exp(-3.0 * SCORES).sum()
CUT = 0.5


def rows(random: np.random.Generator, count: int, shift: float = 0.0) -> tuple[Floats, Floats, Floats]:
    """Draw scores, predictions and labels; `shift` is added to the log-odds behind the labels."""
    scores = random.choice(SCORES, count, p=SHARES)
    labels = random.random(count) < expit(logit(scores) + shift)
    return scores, (scores >= CUT).astype(np.float64), labels.astype(np.float64)


def reference(chunks: int = 21, size: int = 950, seed: int = 0) -> FittedBinaryEvidence:
    """Fit a reference of calibrated scores."""
    fitted = fit_evidence(*rows(np.random.default_rng(seed), chunks * size), [size] * chunks)
    assert isinstance(fitted, FittedBinaryEvidence)
    return fitted


def drawn(
    bins: ScoreBins,
    random: np.random.Generator,
    chunks: int,
    size: int,
    *,
    shift: Floats | float = 0.0,
    tilt: float = 0.0,
) -> ScoreCounts:
    """Draw the counts of chunks with all labels; the log-odds behind them are shifted (by chunk) and tilted."""
    index = bins.bin_of_cell[bins.grid.cells(SCORES)]
    cells = np.zeros((2, bins.count))
    np.add.at(cells, ((SCORES >= CUT).astype(int), index), SHARES)
    scored = random.multinomial(size, cells.ravel(), size=chunks).reshape(-1, 2, bins.count)
    change = np.reshape(shift, (-1, 1, 1)) + tilt * bins.scaled_log_odds
    positives = random.binomial(scored, expit(logit(bins.chances) + change))
    return ScoreCounts(scored, scored, positives)


def redrawn(
    bins: ScoreBins, random: np.random.Generator, chunks: int, size: int, spread: float = 0.0
) -> FittedBinaryEvidence:
    """Fit a new reference of this many chunks on known bins, whose log-odds vary between chunks by `spread`."""
    return fit_on_counts(bins, drawn(bins, random, chunks, size, shift=random.normal(0, spread, chunks)), chunks)


def no_weekday(counts: Counts) -> NDArray[np.int64]:
    """Return a weekday for each chunk, for references whose days do not differ."""
    return np.zeros(len(counts.arrays[0]), dtype=np.int64)


def chunks_of(
    counts: Counts,
    length: timedelta = DAY,
    delay: timedelta = timedelta(0),
    drifting: frozenset[int] = frozenset(),
) -> list[DetectorInput]:
    """Return consecutive chunks with these counts, all of whose labels are in."""
    return [
        DetectorInput(
            start=START + place * length,
            end=START + (place + 1) * length,
            closes_at=START + (place + 1) * length,
            labels_at=START + (place + 1) * length + delay,
            counts=counts[place],
            closed=True,
            labels_in=True,
            drifting=place in drifting,
        )
        for place in range(len(counts.arrays[0]))
    ]
