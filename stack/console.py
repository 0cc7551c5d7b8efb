"""Terminal output of the stack, on standard error: lines, steps with their duration, progress bars."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

WIDTH = 150
"""Characters per line if standard error is not a terminal."""
Advance = Callable[[float, float | None], None]

_console = Console(stderr=True, highlight=False, soft_wrap=True, width=None if sys.stderr.isatty() else WIDTH)


def print_line(text: str) -> None:
    """Print one line; square brackets are text, not markup."""
    _console.print(text, markup=False)


def print_warning(text: str) -> None:
    """Print one line as a warning."""
    _console.print(text, style="yellow", markup=False)


def print_error(text: str) -> None:
    """Print one line as an error."""
    _console.print(text, style="bold red", markup=False)


def print_table(table: object) -> None:
    """Print a rich table."""
    _console.print(table)


@contextmanager
def step(title: str) -> Iterator[Advance]:
    """Show one step: a progress bar while it runs (on a terminal), and one line with its duration at the end.

    Yields a function of (completed, total) that updates the bar; without a total the bar only moves.
    """
    began = time.monotonic()
    with _bar() as bar:
        task = bar.add_task(title, total=None)
        yield lambda completed, total: bar.update(task, completed=completed, total=total)
    print_line(f"{title}: {time.monotonic() - began:.1f} s")


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    return Progress(*columns, console=_console, transient=True, disable=not _console.is_terminal)
