"""How a surface spells the options of a backtest: as Python's arguments, or as the flags of the command. No I/O here.

Messages are built from an option's name and value; the surface that the request came from spells both.
"""

import shlex
from collections.abc import Mapping
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
    return f"{flag} {shlex.quote(','.join(value) if isinstance(value, list | tuple) else str(value))}"
