"""The probability from which on a subscriber-day is called churn. No I/O here."""

from dataclasses import dataclass

import numpy as np

from churn_jobs.trainers.calibration import LogisticCalibration
from churn_jobs.trainers.score_table import STEP, ScoreTable
from driftline.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class WindowQuality:
    """Performance on a window: counts, and metrics that are None where they are undefined."""

    rows: int
    churned: int
    roc_auc: float | None
    f1: float | None
    accuracy: float | None


def choose(table: ScoreTable, calibration: LogisticCalibration) -> float:
    """Return the threshold with the highest F1; of several, the lowest, which has the highest recall.

    It is an edge between bins of the score, so counts by bin and row by row comparison agree.

    Raises:
        InvalidInput: no row has label 1.
    """
    if not table.churned:
        raise InvalidInput("The validation window has no churned rows, so no threshold can be chosen; use more days.")
    best = int(np.argmax(table.f1_from()))
    return float(calibration((table.bins[best] - 0.5) * STEP))


def quality(table: ScoreTable, calibration: LogisticCalibration, threshold: float) -> WindowQuality:
    """Return the performance of the scores and the threshold on a window."""
    called = np.flatnonzero(calibration(table.scores) >= threshold)
    first = int(called[0]) if len(called) else None
    f1 = float(table.f1_from()[first]) if first is not None else 0.0
    accuracy = float(table.accuracy_from()[first]) if first is not None else 1 - table.churned / max(table.total, 1)
    return WindowQuality(
        rows=table.total,
        churned=table.churned,
        roc_auc=table.roc_auc(),
        f1=f1 if table.churned else None,
        accuracy=accuracy if table.total else None,
    )
