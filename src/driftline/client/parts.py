"""Parts of a batch that is refused as a whole, so that its valid rows are stored all the same. No I/O here."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from driftline.client.batch_file import MOST_PARTS, FileFormat

MOST_IN_A_ROW = 24
"""Refusals of parts of one batch without a stored part in between; then probably all of its rows are invalid.

It takes 16 to divide 50,000 rows down to one.
"""
MOST_REFUSALS = 1_000
"""Refusals of parts of one batch; an invalid row costs two or three requests."""
_NESTED = ("scores", "features")


@dataclass
class Refusals:
    """How often a batch and its parts were refused, which bounds the number of requests."""

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


def divide(form: FileFormat, content: bytes, named: Collection[int] = ()) -> list[bytes]:
    """Return the parts of a batch: the halves of its rows, without those that are `named`, and each of these alone.

    `named` are the numbers, from 1, of rows that the monitor names as invalid. A batch of one row has no parts.

    Raises:
        ValueError, OSError: the content cannot be read.
        ImportError: it is Arrow, and pyarrow is not installed.
    """
    return _divide_lines(content, named) if form is FileFormat.NDJSON else _divide_table(content, named)


def _selections(rows: int, named: Collection[int]) -> list[list[int]]:
    """Return the places, from 0, of the rows of each part."""
    if rows < 2:
        return []
    alone = sorted({number - 1 for number in named if 0 < number <= rows})[: MOST_PARTS - 2]
    others = sorted({*range(rows)}.difference(alone))
    middle = len(others) // 2
    return [part for part in (others[:middle], others[middle:], *([place] for place in alone)) if part]


def _divide_table(content: bytes, named: Collection[int]) -> list[bytes]:
    from driftline.client.arrow_frame import read_stream, write_stream  # noqa: PLC0415  (it needs pyarrow)

    table = read_stream(content)
    return [write_stream(table.take(places)) for places in _selections(table.num_rows, named)]


def _divide_lines(content: bytes, named: Collection[int]) -> list[bytes]:
    lines = content.splitlines(keepends=True)
    selections = _selections(len(lines), named)
    fields = _Fields.of(lines) if selections else _Fields()
    return [b"".join(fields.complete([lines[place] for place in places])) for places in selections]


class _Fields:
    """The fields of all rows of a batch.

    The monitor takes a field that a row lacks as missing if another row of the batch has it, and otherwise refuses the
    batch. So the first row of a part gets, as missing, the fields that the part would lose.
    """

    def __init__(self) -> None:
        """Begin without fields."""
        self._outer: dict[str, None] = {}
        self._inner: dict[str, dict[str, None]] = {}

    @classmethod
    def of(cls, lines: Sequence[bytes]) -> "_Fields":
        """Return the fields of lines, in the order in which they appear."""
        fields = cls()
        for row in filter(None, map(_json_object, lines)):
            fields._outer.update(dict.fromkeys(row))
            for outer, inner in _nested(row):
                fields._inner.setdefault(outer, {}).update(dict.fromkeys(inner))
        return fields

    def complete(self, lines: list[bytes]) -> list[bytes]:
        """Return lines of which the first has the fields that none of them has."""
        if (first := _json_object(lines[0])) is None:
            return lines
        present = _Fields.of(lines)
        added = dict.fromkeys([name for name in self._outer if name not in present._outer and name not in _NESTED])
        for outer, inner in self._inner.items():
            missing = dict.fromkeys(name for name in inner if name not in present._inner.get(outer, {}))
            if missing:
                added[outer] = (first.get(outer) or {}) | missing
        if not added:
            return lines
        return [json.dumps(first | added, ensure_ascii=False, separators=(",", ":")).encode() + b"\n", *lines[1:]]


def _nested(row: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the fields of a row that are objects."""
    for name in _NESTED:
        if isinstance(row.get(name), dict):
            yield name, row[name]


def _json_object(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None
