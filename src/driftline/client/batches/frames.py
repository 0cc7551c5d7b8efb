"""Frames as batches: Arrow where pyarrow is installed, else lines of JSON. No I/O here."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from driftline.client.batches.batch_file import FileFormat
from driftline.client.batches.rows import checked_id, prediction_line
from driftline.errors import InvalidInput

FRAME_BYTES = 8 * 1024 * 1024
"""Bytes of a frame that travel in one batch, before compression."""
TIME, ID, PREDICTION, SCORE_PREFIX = "event_time", "id", "prediction", "probability_"
"""The engine's own names of columns, by which rows without Arrow are recognized."""


class EncodedFrame(NamedTuple):
    """The batches of a frame."""

    format: FileFormat
    contents: list[bytes]
    rows: int


def encoded_frame(frame: Any, rows: int) -> EncodedFrame:
    """Return a frame as batches of at most `rows` rows.

    Raises:
        InvalidInput: it is not a frame, or a value cannot be sent.
    """
    try:
        from driftline.client.batches import arrow_frame  # noqa: PLC0415  (pyarrow takes a quarter of a second)
    except ImportError:
        return encoded_lines(frame, rows)
    table = arrow_frame.table_of(frame)
    return EncodedFrame(FileFormat.ARROW, arrow_frame.slices(table, rows, FRAME_BYTES), table.num_rows)


def row_count(frame: Any) -> int:
    """Return how many rows a frame has; 1 for any other object."""
    columns = frame.values() if isinstance(frame, Mapping) else [frame] if hasattr(frame, "columns") else []
    try:
        return max(map(len, columns), default=1)
    except TypeError:  # it knows its length only when it is read
        return 1


def encoded_lines(frame: Any, rows: int) -> EncodedFrame:
    """Return a frame as lines of JSON; its columns need the engine's own names, since only Arrow is flat.

    Raises:
        InvalidInput: it is not a frame, a column is missing, or a value cannot be sent.
    """
    columns = _columns(frame)
    missing = [name for name in (TIME, ID, PREDICTION) if name not in columns]
    if missing:
        msg = f"The frame has no column {', '.join(missing)}; rename its columns, or install pyarrow."
        raise InvalidInput(msg)
    lines = [*_lines(columns)]
    contents = [b"".join(lines[start : start + rows]) for start in range(0, len(lines), rows)]
    return EncodedFrame(FileFormat.NDJSON, contents, len(lines))


def _columns(frame: Any) -> dict[str, list[Any]]:
    """Return the columns of a mapping, or of anything with `columns` and items."""
    names = frame if isinstance(frame, Mapping) else getattr(frame, "columns", None)
    if names is None:
        msg = f"frame is a value of type {type(frame).__name__}; pass a data frame, or a mapping of columns."
        raise InvalidInput(msg)
    columns = {str(name): list(frame[name]) for name in names}
    if len({len(values) for values in columns.values()}) > 1:
        raise InvalidInput("The columns of the frame have different lengths; pass columns of one length.")
    return columns


def _lines(columns: Mapping[str, Sequence[Any]]) -> Iterator[bytes]:
    scores = [name for name in columns if name.startswith(SCORE_PREFIX)]
    features = [name for name in columns if name not in {TIME, ID, PREDICTION, *scores}]
    score = _score_reader(scores, columns)
    for number, (at, row_id, prediction) in enumerate(
        zip(columns[TIME], columns[ID], columns[PREDICTION], strict=True)
    ):
        values = {name: columns[name][number] for name in features}
        yield prediction_line(checked_id(row_id), _instant(at), prediction, score(number), values)


def _score_reader(names: Sequence[str], columns: Mapping[str, Sequence[Any]]) -> Callable[[int], Any]:
    """Return what reads the score of a row: none, the one of class 1, or one for each class."""
    if len(names) > 1:
        return lambda number: {name.removeprefix(SCORE_PREFIX): columns[name][number] for name in names}
    return lambda number: columns[names[0]][number] if names else None


def _instant(value: Any) -> datetime:
    """Refuse a missing time: a row of a frame is not from now."""
    if not isinstance(value, datetime):
        msg = f"{TIME} is {value!r}; pass a datetime with a time zone in each row."
        raise InvalidInput(msg)
    return value
