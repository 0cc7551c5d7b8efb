"""The names of columns as a user writes them, in Python and on the command line. No I/O here."""

from collections.abc import Collection, Iterable, Mapping
from math import isfinite
from numbers import Real
from typing import Any

from driftline.backtesting.request.request import ScoreColumn
from driftline.errors import InvalidInput


def column_name(option: str, name: Any) -> str | None:
    """Return the name of a column as text; a column of a frame may have a number as its name.

    Raises InvalidInput for anything else; the message spells `option` as Python's argument.
    """
    if name is None:
        return None
    if not _is_name(name):
        msg = f"{option} must be the name of a column, not {name!r}; pass {option}='name'"
        raise InvalidInput(msg)
    return str(name)


def column_names(option: str, names: Any) -> tuple[str, ...] | None:
    """Return the names of several columns, or of a single one; raise InvalidInput for anything else."""
    if names is None or _is_name(names):
        return None if names is None else (str(names),)
    if isinstance(names, Iterable) and not isinstance(names, bytes | Mapping):
        listed = list(names)
        if all(map(_is_name, listed)):
            return tuple(map(str, listed))
    msg = f"{option} must be names of columns, not {names!r}; pass {option}=['name', 'other']"
    raise InvalidInput(msg)


def score_columns(score: Any) -> tuple[ScoreColumn, ...]:
    """Return the columns with scores; a mapping has their classes as keys. Raises InvalidInput for anything else."""
    if isinstance(score, Mapping):
        return tuple(ScoreColumn(column_name("score", column) or "", str(name)) for name, column in score.items())
    if isinstance(score, str) and not score:
        return ()
    return tuple(map(ScoreColumn, column_names("score", score) or ()))


def _is_name(name: Any) -> bool:
    return isinstance(name, str) or (isinstance(name, Real) and not isinstance(name, bool) and isfinite(name))


def split_score(text: str, columns: Collection[str]) -> ScoreColumn:
    """Parse `COLUMN` or `CLASS=COLUMN`; with several equals signs, split at the first that yields a known column."""
    if text in columns or "=" not in text:
        return ScoreColumn(text if text in columns else text.strip())
    positions = [position for position, character in enumerate(text) if character == "="]
    pairs = [(text[:position].strip(), text[position + 1 :]) for position in positions]
    for name, column in pairs:
        if column in columns or column.strip() in columns:
            return ScoreColumn(column if column in columns else column.strip(), name)
    name, column = pairs[0]
    return ScoreColumn(column.strip(), name)
