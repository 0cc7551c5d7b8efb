"""Runs independent tasks: one after the other, or in parallel with a `Map` from the caller. No I/O here."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

Task = Callable[[], Any]
"""A function without arguments, bound to its inputs."""
_Item = TypeVar("_Item")
_Output = TypeVar("_Output")


class Map(Protocol):
    """Applies a function to each item and returns the outputs in the order of the items, as `map` does.

    `ThreadPoolExecutor.map` is an example; forked processes may provide another. The outputs must not depend on the
    choice.
    """

    def __call__(self, function: Callable[[_Item], _Output], items: Iterable[_Item], /) -> Iterable[_Output]:
        """Apply `function` to each of `items`."""


def serial_map(function: Callable[[_Item], _Output], items: Iterable[_Item], /) -> Iterable[_Output]:
    """Apply `function` to one item after the other, in this thread."""
    return map(function, items)


def call(task: Task) -> Any:
    """Call a task; mapped over tasks, it lets a `Map` run tasks of different kinds."""
    return task()
