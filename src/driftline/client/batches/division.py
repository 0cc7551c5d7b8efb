"""Divides a batch that is refused as a whole, so that its valid rows are stored all the same. No I/O here."""

from collections.abc import Collection
from dataclasses import dataclass

from driftline.client.batches.batch_file import MOST_REPLACEMENTS, FileFormat

MOST_IN_A_ROW = 24
"""Refusals of one batch and its replacements with none stored in between; then probably all of its rows are invalid.

It takes 16 to divide 50,000 rows down to one.
"""
MOST_REFUSALS = 1_000
"""Refusals of one batch and its replacements; an invalid row costs two or three requests."""


@dataclass
class Refusals:
    """How often a batch and its replacements were refused, which bounds the number of requests."""

    in_a_row: int = 0
    total: int = 0
    logged: bool = False
    """Whether a reason was logged; the others are beside the refused rows."""

    def count(self) -> None:
        """Count a refusal."""
        self.in_a_row += 1
        self.total += 1

    @property
    def are_few(self) -> bool:
        """Whether to divide further."""
        return self.in_a_row <= MOST_IN_A_ROW and self.total <= MOST_REFUSALS


@dataclass(frozen=True)
class Division:
    """The contents of a batch's replacements, and its invalid rows, which are not sent again; empty without any."""

    contents: list[bytes]
    faulty: bytes = b""


def divide(
    form: FileFormat, content: bytes, named: Collection[int] = (), faulty: Collection[int] = (), *, more: bool = True
) -> Division:
    """Divide a batch: without the rows that are `faulty`, into halves, and into rows that are `named`, each alone.

    Rows are numbered from 1. Where some are faulty, none is named, and there are no `more` of them, the others stay
    together. A batch of one row has no replacements.

    Raises:
        ValueError, OSError: the content cannot be read.
        ImportError: it is Arrow, and pyarrow is not installed.
    """
    if form is FileFormat.NDJSON:
        lines = content.splitlines(keepends=True)
        selections, left_out = _selections(len(lines), named, faulty, more)
        return Division(
            [b"".join(lines[place] for place in places) for places in selections],
            b"".join(lines[place] for place in left_out),
        )
    from driftline.client.batches.arrow_frame import read_stream, write_stream  # noqa: PLC0415  (it needs pyarrow)

    table = read_stream(content)
    selections, left_out = _selections(table.num_rows, named, faulty, more)
    contents = [write_stream(table.take(places)) for places in selections]
    return Division(contents, write_stream(table.take(left_out)) if left_out else b"")


def _selections(
    rows: int, named: Collection[int], faulty: Collection[int], more: bool
) -> tuple[list[list[int]], list[int]]:
    """Return the places, from 0, of the rows of each replacement, and of those that are left out."""
    if rows < 2:
        return [], []
    left_out = _places(rows, faulty)
    alone = sorted({*_places(rows, named)}.difference(left_out))[: MOST_REPLACEMENTS - 3]
    remaining = sorted({*range(rows)}.difference(left_out, alone))
    middle = len(remaining) // 2 if more or alone or not left_out else 0
    selections = (remaining[:middle], remaining[middle:], *([place] for place in alone))
    return [places for places in selections if places], left_out


def _places(rows: int, numbers: Collection[int]) -> list[int]:
    """Return the places, from 0, of the rows with some numbers."""
    return sorted({number - 1 for number in numbers if 0 < number <= rows})
