"""The dialect of a CSV file (separator, decimals, missing values), inferred from its first lines. No I/O here."""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import pyarrow.csv as pc

from driftline.backtesting.inference import Inference
from driftline.backtesting.input.values.missing import MISSING

HEAD_BYTES = 65_536
"""How many bytes of a file are read to infer its dialect."""
_SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a vertical bar", "\x01": "character 1"}
_LINES = 1_000
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_DECLARED = re.compile(r"\ufeff?sep=(.)", re.IGNORECASE)
_PADDED = re.compile(r"[+-]?0\d+")
_DECIMAL_POINT = re.compile(r"[+-]?\d+\.\d+")


@dataclass(frozen=True, slots=True)
class Dialect:
    """The separators of fields and of decimals, and the words that stand for a missing value."""

    separator: str = ","
    decimal: str = "."
    missing: tuple[str, ...] = MISSING
    notes: tuple[Inference, ...] = ()
    padded: frozenset[int] = frozenset()
    """The indices of columns with leading zeros (007) in the first lines: codes, not numbers."""
    skipped: int = 0
    """How many lines come before the line of names: one where Excel was told the separator (`sep=;`)."""

    @classmethod
    def of(cls, head: bytes, default: str = ",", na_values: Iterable[str] = ()) -> "Dialect":
        """Infer the dialect from a file's first bytes.

        The separator is `default`, unless only another one divides the header and the next line into equally many
        fields, at least two.
        """
        lines = head.decode("utf-8", "replace").splitlines(keepends=True)
        lines = lines if len(head) < HEAD_BYTES or len(lines) == 1 else lines[:-1]
        declared = _DECLARED.fullmatch(lines[0].rstrip("\r\n")) if lines else None
        default, lines = (declared[1], lines[1:]) if declared else (default, lines)
        tables = {separator: _fields(lines, separator) for separator in (default, *_SEPARATORS)}
        separator = next((name for name, rows in tables.items() if _agree(rows)), default)
        comma = separator != "," and _has_decimal_commas(tables[separator])
        notes = []
        if declared and separator == default:
            notes.append(
                Inference("separator", _SEPARATORS.get(separator, repr(separator)), f"line 1 is {declared[0]}")
            )
        if separator != default:
            notes.append(Inference("separator", _SEPARATORS[separator], "it gives the first lines equally many fields"))
        if comma:
            notes.append(Inference("decimals", "a comma", "the first lines have numbers such as 1,5, none such as 1.5"))
        missing = tuple(dict.fromkeys((*MISSING, *na_values)))
        padded = _padded(tables[separator])
        return cls(separator, "," if comma else ".", missing, tuple(notes), padded, skipped=1 if declared else 0)

    def read_options(self, **more: object) -> pc.ReadOptions:
        """Return the options with which Arrow reads a file of this dialect."""
        return pc.ReadOptions(skip_rows=self.skipped, **more)

    @property
    def parse_options(self) -> pc.ParseOptions:
        """The options with which Arrow divides lines into fields."""
        return pc.ParseOptions(delimiter=self.separator, newlines_in_values=True)

    def convert_options(self, columns: Sequence[str] = (), **more: object) -> pc.ConvertOptions:
        """Return the options with which Arrow converts fields; text is never null here, since NA may be a category."""
        return pc.ConvertOptions(
            null_values=list(self.missing),
            strings_can_be_null=False,
            decimal_point=self.decimal,
            include_columns=list(columns),
            **more,
        )


def _fields(lines: Sequence[str], separator: str) -> list[list[str]]:
    try:
        return list(islice(csv.reader(lines, delimiter=separator), _LINES))
    except csv.Error:
        return []


def _agree(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the header and the next line have equally many fields, at least two."""
    return bool(rows) and len(rows[0]) > 1 and (len(rows) == 1 or len(rows[0]) == len(rows[1]))


def _padded(rows: Sequence[Sequence[str]]) -> frozenset[int]:
    return frozenset(index for row in rows[1:] for index, field in enumerate(row) if _PADDED.fullmatch(field))


def _has_decimal_commas(rows: Sequence[Sequence[str]]) -> bool:
    fields = [field.strip() for row in rows[1:] for field in row]
    return any(map(_DECIMAL_COMMA.fullmatch, fields)) and not any(map(_DECIMAL_POINT.fullmatch, fields))
