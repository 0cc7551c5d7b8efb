"""The two-sample Kolmogorov-Smirnov statistic. No I/O here."""

from math import sqrt

import numpy as np
from scipy.special import kolmogorov

from driftline.engine.drift.sketches.distribution import (
    Distribution,
    Grid,
    GridCounts,
    Sample,
    Summary,
)
from driftline.engine.outcome import Outcome


def finish(state: Distribution, summary: Summary) -> Outcome:
    """Return the largest gap between two cumulative distributions, in [0, 1], with its asymptotic two-sided p-value.

    Exact against an exact reference, taken at 10,000 bin edges against a longer one, as NannyML 0.13.1 does.
    Parts of a chunk merge exactly.
    """
    gap = _gap(state.reference, summary)
    return Outcome(gap, summary.rows, p_value=_p_value(gap, state.rows, summary.rows), effect=gap)


def _p_value(gap: float, reference_rows: int, rows: int) -> float:
    """Return the two-sided asymptotic p-value with Stephens' (1970) correction for the number of rows."""
    root = sqrt(reference_rows * rows / (reference_rows + rows))
    return float(kolmogorov((root + 0.12 + 0.11 / root) * gap))


def _gap(reference: Sample | Grid, summary: Summary) -> float:
    if isinstance(reference, Sample) and isinstance(summary, Sample):
        at_reference_values = np.abs(reference.shares - summary.share_up_to(reference.values))
        at_chunk_values = np.abs(summary.shares - reference.share_up_to(summary.values))
        return float(max(at_reference_values.max(), at_chunk_values.max()))
    if isinstance(reference, Grid) and isinstance(summary, GridCounts):
        shares = (summary.below + np.cumsum(summary.counts)) / summary.rows
        return float(np.max(np.abs(reference.shares - shares)))
    msg = "the summary was computed against another reference"
    raise TypeError(msg)
