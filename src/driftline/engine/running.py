"""How independent pieces of work are run: one after the other, or by the caller's own threads. No I/O here."""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")


class Run(Protocol):
    """Applies a function to each item and gives the results in the items' order, as `map` does.

    The map of a ThreadPoolExecutor does so on several cores: the engine's work is mostly numpy's, which lets other
    threads go on. Results are the same either way.
    """

    def __call__(self, work: Callable[[_Given], _Made], items: Iterable[_Given], /) -> Iterable[_Made]:
        """Apply `work` to each of `items`."""


def in_turn(work: Callable[[_Given], _Made], items: Iterable[_Given], /) -> Iterable[_Made]:
    """Run one after the other, in this thread."""
    return map(work, items)
