"""The L-infinity distance of a categorical column. No I/O here."""

from driftline.engine.drift.sketches.frequencies import Frequencies
from driftline.engine.outcome import Outcome


def finish(state: Frequencies, summary: Frequencies) -> Outcome:
    """Return the largest difference between the shares of one category, in [0, 1], as NannyML 0.13.1 does.

    Each category counts, including those that only the chunk has. Merges exactly.
    """
    names = state.counts.keys() | summary.counts.keys()
    distance = max(abs(_share(state, name) - _share(summary, name)) for name in names)
    return Outcome(distance, summary.rows, effect=distance)


def _share(side: Frequencies, name: str) -> float:
    return side.counts.get(name, 0) / side.rows
