"""What the jobs say to people: a line a step with its seconds, a bar on the long ones. Goes to standard error."""

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
    """Do one step; when it is done, say how many seconds it took."""
    began = time.monotonic()
    yield
    say(f"{title}: {time.monotonic() - began:.1f} s")


def each(items: Sequence[T], title: str) -> Iterator[T]:
    """Go through items with a bar on a terminal."""
    return iter(track(items, title, console=_console, transient=True, disable=not _console.is_terminal))
