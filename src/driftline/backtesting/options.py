"""Spells the options of a backtest in messages: as Python's arguments, or as the command's flags. No I/O here.

A message contains an option's name and value in the style of the interface that the request came from.
"""

import csv
import io
import shlex
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol


class OptionStyle(Protocol):
    """A function that spells an option by its name (`reference_until`), alone or with a value."""

    def __call__(self, name: str, value: Any = None, /) -> str:
        """Return the option as the user writes it."""


def python_option(name: str, value: Any = None, /) -> str:
    """Return an argument of `driftline.backtest`, such as `positive='x'`; without a value `positive=...`."""
    return f"{name}=..." if value is None else f"{name}={value!r}"


def command_option(name: str, value: Any = None, /) -> str:
    """Return a flag of `driftline backtest`, such as `--positive x`; a mapping yields one flag for each item."""
    flag = f"--{name.replace('_', '-')}"
    if value is None:
        return flag
    if isinstance(value, Mapping):
        return " ".join(f"{flag} {shlex.quote(f'{key}={column}')}" for key, column in value.items())
    return f"{flag} {shlex.quote(join_names(value) if isinstance(value, list | tuple) else str(value))}"


def split_names(text: str, columns: Collection[str]) -> tuple[str, ...]:
    """Parse names separated by commas, each quoted as in CSV if it contains a comma or has blanks at its ends.

    A text that equals one of the `columns` is a single name.
    """
    if text in columns:
        return (text,)
    parts = next(csv.reader(io.StringIO(text, newline=""), skipinitialspace=True), [])
    names = (part if part in columns else part.strip() for part in parts)
    return tuple(name for name in names if name)


def join_names(names: Iterable[str]) -> str:
    """Return names as a text that `split_names` parses."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(names)
    return line.getvalue()
