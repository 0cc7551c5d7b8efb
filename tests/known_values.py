"""Searches files of any kind for known values, such as passwords."""

from collections.abc import Iterable
from pathlib import Path

CHUNK = 1 << 20
"""Bytes read at once."""


def files_with(values: Iterable[str], files: Iterable[Path]) -> list[tuple[Path, int]]:
    """Search files of any kind for known values; return each file with the index of the value in `values`."""
    encoded = [value.encode() for value in values]
    if not all(encoded):
        raise ValueError("an empty value is in every file")
    return [(file, number) for file in files for number in sorted(_values_in(file, encoded))]


def _values_in(file: Path, values: list[bytes]) -> set[int]:
    """Return the indices of the values that a file contains; it is read in parts that overlap by the longest value."""
    overlap, tail, numbers = max(map(len, values), default=1) - 1, b"", set[int]()
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            window = tail + chunk
            numbers |= {number for number, value in enumerate(values) if value in window}
            tail = window[-overlap:] if overlap else b""
    return numbers
