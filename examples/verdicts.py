"""What the examples print of the monitor's chunks. No I/O here."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Chunk = Mapping[str, Any]


def chunk_lines(chunks: Sequence[Chunk]) -> Iterator[str]:
    """Yield a table with a line for each chunk, and the first alert with its reason."""
    yield f"{'chunk':<12}{'rows':>6}  {'verdict':<16}drift that lasts"
    for chunk in chunks:
        drifted = ", ".join(chunk["drifted"])
        yield f"{chunk['start'][:10]:<12}{chunk['rows']:>6}  {chunk['verdict']:<16}{drifted}".rstrip()
    alerted = next((chunk for chunk in chunks if chunk["verdict"] == "alert"), None)
    yield f"First alert: {alerted['start'][:10]}: {alerted['reasons'][0]}" if alerted else "Nothing alerted."
