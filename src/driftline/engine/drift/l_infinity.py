"""The L-infinity distance of a categorical column. No I/O here."""

from driftline.engine.drift.sketches.frequencies import Frequencies
from driftline.engine.outcome import Outcome


def finish(state: Frequencies, summary: Frequencies) -> Outcome:
    """Return the largest difference between the shares of one category, in [0, 1], as NannyML 0.13.1 does.

    Each category counts, including those that only the chunk has. Merges exactly.
    """
    names = state.counts.keys() | summary.counts.keys()
    reference_rows, rows = state.rows, summary.rows
    distance = max(
        abs(state.counts.get(name, 0) / reference_rows - summary.counts.get(name, 0) / rows) for name in names
    )
    return Outcome(distance, rows, effect=distance)
