"""Pearson's chi-squared test of a categorical column. No I/O here."""

import numpy as np
from scipy.special import chdtrc

from driftline.engine.drift.sketches.aligned_counts import category_counts
from driftline.engine.drift.sketches.frequencies import Frequencies
from driftline.engine.frames.columns import FloatArray
from driftline.engine.outcome import Outcome


def finish(state: Frequencies, summary: Frequencies) -> Outcome:
    """Return the statistic of the table category by (reference, chunk), its p-value, and Cohen's w as the effect.

    Categories that only one side has are part of the table. With two categories Yates' correction is applied; a single
    category has statistic 0 and p-value 1. As NannyML 0.13.1 (scipy's chi2_contingency). Merges exactly.
    """
    table = np.array(category_counts(state, summary), dtype=np.float64)
    freedom = table.shape[1] - 1
    statistic = _statistic(table, corrected=freedom == 1) if freedom else 0.0
    p_value = float(chdtrc(freedom, statistic)) if freedom else 1.0
    scale = (state.rows + summary.rows) / (state.rows * summary.rows)
    return Outcome(statistic, summary.rows, p_value=p_value, effect=float(np.sqrt(statistic * scale)))


def _statistic(table: FloatArray, *, corrected: bool) -> float:
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / table.sum()
    differences = np.abs(table - expected)
    if corrected:
        differences -= np.minimum(0.5, differences)
    return float(np.sum(differences**2 / expected))
