"""How rows are divided into batches: a batch is a day or a part of one, and its id is reproducible. No I/O here."""

import hashlib
from dataclasses import dataclass
from datetime import date

from driftline.store.ledger import MAX_ROWS

FULL = int(MAX_ROWS * 0.8)
"""The planned size of a part in rows; subscribers are assigned by checksum, so parts differ in size."""


@dataclass(frozen=True, slots=True)
class Part:
    """Part `number` of `parts` of a day, by CRC32 of the subscriber modulo `parts`."""

    day: date
    number: int = 0
    parts: int = 1

    def __str__(self) -> str:
        return str(self.day) if self.parts == 1 else f"{self.day}/{self.number + 1}of{self.parts}"


@dataclass(frozen=True, slots=True)
class DayPart:
    """The rows of a part: their number, and the hash of their content, whatever their order."""

    part: Part
    rows: int
    content_hash: str


def parts_for(most_rows: int) -> int:
    """Return the number of parts of each day, where the largest day has `most_rows`."""
    return max(1, -(-most_rows // FULL))


def empty(day: date) -> DayPart:
    """Return the part for a day that no longer has rows."""
    return DayPart(Part(day), 0, hashlib.sha256(b"").hexdigest())


def prepare_id(rows: DayPart, written_before: int) -> str:
    """Name a batch of prepared rows; content that was written before gets a number (2, 3, …)."""
    base = f"prepare/{rows.part}/{rows.content_hash[:32]}"
    return f"{base}/{written_before + 1}" if written_before else base


def predict_id(rows: DayPart, version: int) -> str:
    """Name a batch of predictions by its day, the model's version and the hash of its input."""
    return f"predict/{rows.part}/v{version}/{rows.content_hash[:32]}"
