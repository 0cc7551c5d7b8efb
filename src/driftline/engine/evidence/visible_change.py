"""The smallest changes that the detector finds 8 times in 10, from the reference alone. No I/O here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log, sqrt

import numpy as np
from scipy.special import expit, logit

from driftline.engine.evidence.by_problem.binary_evidence import FittedBinaryEvidence
from driftline.engine.evidence.by_problem.multiclass_evidence import FittedMulticlassEvidence
from driftline.engine.evidence.by_problem.regression_evidence import FittedRegressionEvidence
from driftline.engine.evidence.families import ComponentTable, Family
from driftline.engine.evidence.fitted import FittedEvidence
from driftline.engine.evidence.metrics import ranking, residual_tilts, share
from driftline.engine.evidence.metrics.bin_metrics import metrics_of
from driftline.engine.evidence.metrics.indifference import IndifferenceZone
from driftline.engine.evidence.scores.residuals import Residuals
from driftline.engine.frames.columns import FloatArray

HORIZONS = (1, 7, 30)
"""The numbers of chunks within which changes are to be found."""
POWER = 0.84
"""The normal quantile of 8 times in 10."""
TESTED = {
    Family.SHARE: share.SHIFTS,
    Family.RANKING: ranking.TILTS,
    Family.MEAN_RESIDUAL: residual_tilts.TILTS,
    Family.RESIDUAL_SIZE: residual_tilts.TILTS,
}
"""The changes beyond the zone that components test: of log-odds, or in standard deviations of residuals."""
NO_SKILL = 0.5
"""The lowest ROC AUC to which a score can fall."""
LARGEST_CHANGE = 6.0
"""A larger change of log-odds counts as not visible."""
LARGEST_SHIFT = 40.0
"""Shifts of log-odds are looked for up to this one."""
HALVINGS = 52
"""The interval of shifts is halved so often that a double cannot tell its ends apart."""
LARGEST_TILT = 3.0
"""A larger change of residuals, in standard deviations, counts as not visible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibleChange:
    """The smallest changes found 8 times in 10 within `chunks` chunks of `rows` rows.

    `roc_auc`, `f1` and `accuracy` are how far these metrics fall under the smallest loss of ranking that is detected;
    None if only a loss of all skill is. `share` is the smallest increased share of positives that is detected, compared
    with the reference's `usual_share`. Those of a multiclass model are of the class `label` against the rest. Those of
    a regression are `mean_residual`, the smallest move of the mean of label minus prediction, and `mae`, the smallest
    increased mean absolute error, compared with `usual_mae`, both in the unit of the label. None where not even a large
    change is detected, or for another problem.
    """

    chunks: int
    rows: int
    label: str | None = None
    roc_auc: float | None = None
    f1: float | None = None
    accuracy: float | None = None
    share: float | None = None
    usual_share: float | None = None
    mean_residual: float | None = None
    mae: float | None = None
    usual_mae: float | None = None


@dataclass(frozen=True, slots=True)
class Detection:
    """What decides whether a change is found: the threshold in chunks, their number, and the components."""

    threshold: float
    chunks: int
    components: ComponentTable

    def smallest(self, family: Family, indifference: IndifferenceZone, variance: float, largest: float) -> float | None:
        """Return the smallest change that a family finds; None if it exceeds `largest`.

        `variance` is that of the score statistic of a chunk, which is also its information. With W the information of
        all chunks, the log e-value of a tested change d grows by W (d x - d^2 / 2) if the true one is x beyond the
        zone, with a standard deviation of d sqrt(W); it is found if that exceeds the log of the threshold over the
        component's weight.
        """
        weight = self.components.weights[self.components.columns(family)][0]
        level = log(max(self.threshold / weight, 1.0))
        information = max(variance, 1e-9)
        error = 1 / sqrt(self.chunks * information / indifference.overdispersion(information))
        changes = [tested / 2 + level * error**2 / tested + POWER * error for tested in TESTED[family]]
        change = indifference.half_width + min(changes)
        return change if change <= largest else None


def visible_changes(
    fitted: FittedEvidence, budget: float, years: float, rows: float | None = None
) -> tuple[VisibleChange, ...]:
    """Return the smallest changes found within 1, 7 and 30 chunks of `years` years, for each class of several.

    `rows` is the number of labelled rows of a chunk, by default that of the reference's chunks.
    """
    size = rows or fitted.chunk_rows
    detections = (Detection(1 / (budget * years), chunks, fitted.components) for chunks in HORIZONS)
    return tuple(change for detection in detections for change in _visible_changes(fitted, detection, size))


def _visible_changes(fitted: FittedEvidence, detection: Detection, rows: float) -> Iterator[VisibleChange]:
    match fitted:
        case FittedBinaryEvidence():
            yield _classifier_changes(fitted, detection, rows)
        case FittedMulticlassEvidence():
            for name, part in zip(fitted.classes, fitted.parts, strict=True):
                yield _classifier_changes(part, detection, rows, name)
        case FittedRegressionEvidence():
            yield _regression_changes(fitted, detection, rows)


def _classifier_changes(
    fitted: FittedBinaryEvidence, detection: Detection, rows: float, label: str | None = None
) -> VisibleChange:
    """Return the smallest changes of a binary model, or of a class against the rest."""
    counts = fitted.pool / fitted.pool.sum() * rows
    chances = fitted.bins.chances
    residuals = Residuals.of(fitted.bins, counts, counts * chances)
    shift = detection.smallest(Family.SHARE, fitted.share, float(residuals.shift_variance), LARGEST_CHANGE)
    tilt = detection.smallest(Family.RANKING, fitted.ranking, float(residuals.tilt_variance), LARGEST_CHANGE)
    usual = metrics_of(counts, counts * chances)
    reduced = None if tilt is None else metrics_of(counts, counts * tilted(fitted, tilt))
    falls: list[float | None] = [None, None, None]
    if reduced is not None and reduced[0] >= NO_SKILL:
        falls = [*(usual - reduced).tolist()]
    by_bin = counts.sum(0) / counts.sum()
    return VisibleChange(
        chunks=detection.chunks,
        rows=round(rows),
        label=label,
        roc_auc=falls[0],
        f1=falls[1],
        accuracy=falls[2],
        share=None if shift is None else float(by_bin @ expit(logit(chances) + shift)),
        usual_share=float(by_bin @ chances),
    )


def _regression_changes(fitted: FittedRegressionEvidence, detection: Detection, rows: float) -> VisibleChange:
    """Return the smallest changes of a regression; the information of a row is 1, by the scale of the directions."""
    shift = detection.smallest(Family.MEAN_RESIDUAL, fitted.mean_indifference, rows, LARGEST_TILT)
    growth = detection.smallest(Family.RESIDUAL_SIZE, fitted.size_indifference, rows, LARGEST_TILT)
    moves = [
        abs(float(fitted.mean_direction.tilted(sign * shift) @ fitted.residuals) - fitted.mean_residual)
        for sign in (1, -1)
        if shift is not None
    ]
    return VisibleChange(
        chunks=detection.chunks,
        rows=round(rows),
        mean_residual=max(moves, default=None),
        mae=None if growth is None else float(fitted.size_direction.tilted(growth) @ fitted.absolute),
        usual_mae=fitted.mean_absolute,
    )


def tilted(fitted: FittedBinaryEvidence, tilt: float) -> FloatArray:
    """Return the chances by bin after the slope of the log-odds falls by `tilt` and the share of positives stays."""
    rows, bins = fitted.pool.sum(0), fitted.bins
    log_odds = logit(bins.chances) - tilt * bins.scaled_log_odds

    low, high = -LARGEST_SHIFT, LARGEST_SHIFT
    for _ in range(HALVINGS):
        shift = (low + high) / 2
        low, high = (shift, high) if rows @ (expit(log_odds + shift) - bins.chances) < 0 else (low, shift)
    return np.asarray(expit(log_odds + high))


LARGEST_VISIBLE_FALL = 0.1
"""Chunks are too short if only larger falls of ROC AUC are visible within 30 of them."""
LARGEST_VISIBLE_RISE = 0.2
"""The same for the rise of a regression's mean absolute error, as a share of the usual one."""


def proposed_length(fitted: FittedEvidence, budget: float, years: float, lengths: Sequence[float]) -> float | None:
    """Return the shortest of the longer `lengths` (years) that is sufficient where chunks of `years` are too short.

    None where `years` is sufficient, or no length is. Of several classes, half must be visible.
    """

    def is_sufficient(length: float) -> bool:
        changes = visible_changes(fitted, budget, length, fitted.chunk_rows * length / years)
        visible = [_is_visible(change) for change in changes if change.chunks == HORIZONS[-1]]
        return 2 * sum(visible) >= len(visible)

    if is_sufficient(years):
        return None
    return next((length for length in sorted(lengths) if length > years and is_sufficient(length)), None)


def _is_visible(change: VisibleChange) -> bool:
    """Return whether the smallest change is small enough."""
    if change.usual_mae is not None:
        return change.mae is not None and change.mae <= (1 + LARGEST_VISIBLE_RISE) * change.usual_mae
    return change.roc_auc is not None and change.roc_auc <= LARGEST_VISIBLE_FALL
