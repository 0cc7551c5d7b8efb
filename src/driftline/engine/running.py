"""How independent pieces of work are run: one after the other, or spread by the caller. No I/O here."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

Piece = Callable[[], Any]
"""A piece of work with all that it needs."""
_Given = TypeVar("_Given")
_Made = TypeVar("_Made")


class Run(Protocol):
    """Applies a function to each item and gives the results in the items' order, as `map` does.

    The map of a ThreadPoolExecutor does so, or processes that are forked for it. Results are the same either way.
    """

    def __call__(self, work: Callable[[_Given], _Made], items: Iterable[_Given], /) -> Iterable[_Made]:
        """Apply `work` to each of `items`."""


def in_turn(work: Callable[[_Given], _Made], items: Iterable[_Given], /) -> Iterable[_Made]:
    """Run one after the other, in this thread."""
    return map(work, items)


def do(piece: Piece) -> Any:
    """Do a piece of work: with this a `Run` applies to pieces of different kinds."""
    return piece()
