"""How much a JSON text holds, counted before Python objects are made of it. No I/O here."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from driftline.ingest.errors import TooMuchContent
from driftline.ingest.rows.content import MOST_ROWS, require_few_rows

CONTAINERS_OF_ROW = 3
"""How many objects a row consists of: itself, `scores` and `features`."""
MOST_CONTAINERS = CONTAINERS_OF_ROW * MOST_ROWS + 1
BLOCK_BYTES = 1 << 20
_OPEN, _CLOSE, _COMMA = b"[{", b"]}", b","
_OTHER_BYTES = bytes(set(range(256)).difference(_OPEN, _CLOSE, _COMMA))
_STEPS = np.zeros(256, np.int64)
_STEPS[list(_OPEN)], _STEPS[list(_CLOSE)] = 1, -1
"""How each byte changes the depth."""


def require_small_document(data: bytes, depth_of_rows: int = 1) -> int:
    """Raise TooMuchContent as soon as a JSON text has too many rows, objects or lists; return the bytes that were read.

    Rows are the elements of the outermost list, or with a depth of 2 those of the lists in the outermost object. Text
    that is not valid JSON is counted at least up to its first fault, as far as a parser makes objects of it.
    """
    has_rows = depth_of_rows > 1 or data.lstrip()[:1] == b"["
    depth = commas = containers = bytes_read = 0
    for block, structure in _structure(data):
        steps = _STEPS[structure]
        depths = depth + np.cumsum(steps)
        depth = int(depths[-1]) if len(depths) else depth
        commas += int(((structure == _COMMA[0]) & (depths == depth_of_rows)).sum())
        containers += int((steps > 0).sum())
        bytes_read += block
        if has_rows and commas >= MOST_ROWS:
            require_few_rows(commas + 1, at_least=True)
        require_few_containers(containers)
    return bytes_read


def containers_of(line: bytes) -> int:
    """Return how many objects and lists a JSON text has."""
    most = line.count(b"{") + line.count(b"[")
    if most <= CONTAINERS_OF_ROW:
        return most
    return sum(int((_STEPS[structure] > 0).sum()) for _, structure in _structure(line))


def require_few_containers(containers: int) -> None:
    """Raise TooMuchContent where there are more objects and lists than the most rows have."""
    if containers > MOST_CONTAINERS:
        raise TooMuchContent(
            f"The batch has more than {MOST_CONTAINERS:,} objects and lists; send at most {MOST_ROWS:,} rows at a "
            "time, in parts, each with single values."
        )


def _structure(data: bytes) -> Iterator[tuple[int, "np.ndarray[tuple[int], np.dtype[np.uint8]]"]]:
    """Yield block by block its length and its brackets, braces and commas outside of texts."""
    within_text = False
    for start, stop in pairwise(_cuts(data)):
        quoted = data[start:stop].replace(b"\\\\", b"").replace(b'\\"', b"")
        parts = quoted.split(b'"')
        outside = b"".join(parts[within_text::2])
        within_text ^= len(parts) % 2 == 0
        yield stop - start, np.frombuffer(outside.translate(None, _OTHER_BYTES), np.uint8)


def _cuts(data: bytes) -> Iterator[int]:
    """Yield where blocks begin and end; none ends within an escape."""
    place = 0
    while place < len(data):
        yield place
        place += BLOCK_BYTES
        while data[place - 1 : place] == b"\\":
            place += 1
    yield len(data)
