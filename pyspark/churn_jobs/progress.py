"""Progress of the jobs on standard error: a line with the seconds of each step, and a bar for long steps."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import track

T = TypeVar("T")

_console = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Print one line; square brackets are text, not markup."""
    _console.print(text, markup=False)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Run a step and print how many seconds it took."""
    began = time.monotonic()
    yield
    say(f"{title}: {time.monotonic() - began:.1f} s")


def each(items: Sequence[T], title: str) -> Iterator[T]:
    """Iterate over items, with a progress bar on a terminal."""
    return iter(track(items, title, console=_console, transient=True, disable=not _console.is_terminal))
