"""How a surface spells the options of a backtest: as Python's arguments, or as the flags of the command. No I/O here.

Messages are built from an option's name and value; the surface that the request came from spells both.
"""

import csv
import io
import shlex
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol


class OptionStyle(Protocol):
    """Spells an option by its name (`reference_until`), alone or with a value."""

    def __call__(self, name: str, value: Any = None, /) -> str:
        """Return the option as the user writes it."""


def python_option(name: str, value: Any = None, /) -> str:
    """Return an argument of `driftline.backtest`, such as `positive='x'`; or `positive=...`."""
    return f"{name}=..." if value is None else f"{name}={value!r}"


def command_option(name: str, value: Any = None, /) -> str:
    """Return a flag of `driftline backtest`, such as `--positive x`; a mapping repeats the flag."""
    flag = f"--{name.replace('_', '-')}"
    if value is None:
        return flag
    if isinstance(value, Mapping):
        return " ".join(f"{flag} {shlex.quote(f'{key}={column}')}" for key, column in value.items())
    return f"{flag} {shlex.quote(join_names(value) if isinstance(value, list | tuple) else str(value))}"


def split_names(text: str, columns: Collection[str]) -> tuple[str, ...]:
    """Read names that are separated by commas, each quoted as in a CSV file where it has a comma or blanks around it.

    A text that is the name of one of the `columns` is that name.
    """
    if text in columns:
        return (text,)
    parts = next(csv.reader(io.StringIO(text, newline=""), skipinitialspace=True), [])
    names = (part if part in columns else part.strip() for part in parts)
    return tuple(name for name in names if name)


def join_names(names: Iterable[str]) -> str:
    """Write names so that `split_names` reads them."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(names)
    return line.getvalue()
