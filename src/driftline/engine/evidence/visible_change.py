"""The smallest changes that the detector finds 8 times in 10, from the reference alone. No I/O here."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

from driftline.engine.columns import FloatArray
from driftline.engine.evidence import ranking, share
from driftline.engine.evidence.bin_metrics import metrics_of
from driftline.engine.evidence.families import WEIGHTS, Family, columns
from driftline.engine.evidence.fitted import FittedEvidence
from driftline.engine.evidence.residuals import Residuals

HORIZONS = (1, 7, 30)
"""The numbers of chunks within which changes are to be found."""
POWER = 0.84
"""The normal quantile of 8 times in 10."""
TESTED = {Family.SHARE: share.SHIFTS, Family.RANKING: ranking.TILTS}
"""The changes of log-odds beyond the zone that components test."""
NO_SKILL = 0.5
"""The lowest ROC AUC to which a score can fall."""
LARGEST_CHANGE = 6.0
"""A larger change of log-odds counts as not visible."""


@dataclass(frozen=True, slots=True)
class VisibleChange:
    """The smallest changes found 8 times in 10 within `chunks` chunks of `rows` rows.

    `roc_auc`, `f1` and `accuracy` are the falls of these metrics with the smallest loss of ranking; `share` is the
    smallest increased share of positives, compared with the reference's `usual_share`. None where not even a large
    change is found; for ranking, the loss of all skill.
    """

    chunks: int
    rows: int
    roc_auc: float | None
    f1: float | None
    accuracy: float | None
    share: float | None
    usual_share: float


def visible_changes(
    fitted: FittedEvidence, budget: float, years: float, rows: float | None = None
) -> tuple[VisibleChange, ...]:
    """Return the smallest changes found within 1, 7 and 30 chunks of `years` years.

    `rows` is the number of labelled rows of a chunk, by default that of the reference's chunks. With W the information
    of all chunks, the log e-value of a tested change d grows by W (d x - d^2 / 2) if the true one is x beyond the zone,
    with a standard deviation of d sqrt(W); it is found if that exceeds the log of the threshold over the component's
    weight.
    """
    size = rows or fitted.chunk_rows
    pool = fitted.pool / fitted.pool.sum()
    return tuple(_visible_change(fitted, pool * size, 1 / (budget * years), chunks) for chunks in HORIZONS)


def _visible_change(fitted: FittedEvidence, counts: FloatArray, threshold: float, chunks: int) -> VisibleChange:
    """Return the smallest changes found within `chunks` chunks; `counts` are the expected rows of one chunk."""
    chances = fitted.bins.chances
    residuals = Residuals.of(fitted.bins, counts, counts * chances)
    shift = _smallest(
        Family.SHARE, fitted.share.zone, float(residuals.shift_variance), fitted.share.variance, threshold, chunks
    )
    tilt = _smallest(
        Family.RANKING, fitted.ranking.zone, float(residuals.tilt_variance), fitted.ranking.variance, threshold, chunks
    )
    usual = metrics_of(counts, counts * chances)
    reduced = None if tilt is None else metrics_of(counts, counts * tilted(fitted, tilt))
    falls: list[float | None] = [None, None, None]
    if reduced is not None and reduced[0] >= NO_SKILL:
        falls = [*(usual - reduced).tolist()]
    by_bin = counts.sum(0) / counts.sum()
    raised = None if shift is None else float(by_bin @ expit(logit(chances) + shift))
    return VisibleChange(chunks, round(counts.sum()), falls[0], falls[1], falls[2], raised, float(by_bin @ chances))


def _smallest(
    family: Family, zone: float, variance: float, between: float, threshold: float, chunks: int
) -> float | None:
    """Return the smallest change of log-odds that is found; None if it exceeds `LARGEST_CHANGE`."""
    level = log(max(threshold / WEIGHTS[columns(family)][0], 1.0))
    information = chunks / (1 / max(variance, 1e-9) + between)
    error = 1 / sqrt(information)
    changes = [tested / 2 + level * error**2 / tested + POWER * error for tested in TESTED[family]]
    change = zone + min(changes)
    return change if change <= LARGEST_CHANGE else None


def tilted(fitted: FittedEvidence, tilt: float) -> FloatArray:
    """Return the chances by bin after the slope of the log-odds falls by `tilt` and the share of positives stays."""
    rows, bins = fitted.pool.sum(0), fitted.bins
    log_odds = logit(bins.chances) - tilt * bins.scaled_log_odds

    def excess(shift: float) -> float:
        return float(rows @ (expit(log_odds + shift) - bins.chances))

    return np.asarray(expit(log_odds + float(brentq(excess, -40, 40))))


LARGEST_VISIBLE_FALL = 0.1
"""Chunks are too short if only larger falls of ROC AUC are visible within 30 of them."""


def proposed_length(fitted: FittedEvidence, budget: float, years: float, lengths: Sequence[float]) -> float | None:
    """Return the shortest of the longer `lengths` (years) that is sufficient where chunks of `years` are too short.

    None where `years` is sufficient, or no length is.
    """

    def is_sufficient(length: float) -> bool:
        fall = visible_changes(fitted, budget, length, fitted.chunk_rows * length / years)[-1].roc_auc
        return fall is not None and fall <= LARGEST_VISIBLE_FALL

    if is_sufficient(years):
        return None
    return next((length for length in sorted(lengths) if length > years and is_sufficient(length)), None)
