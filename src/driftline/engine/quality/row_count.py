"""How many rows a chunk has. Merges exactly. No I/O here."""

from driftline.engine.outcome import Outcome


def finish(rows: int) -> Outcome:
    """Return the number of rows, as NannyML 0.13.1 has it; no minimum holds it back, since few rows are its point."""
    return Outcome(float(rows), rows)
