"""Ends work in the middle, as SIGKILL would: an exception that nothing catches, raised in place of a call."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest


class SimulatedKill(BaseException):
    """Stands for the end of the process: no `except Exception` catches it."""


@contextmanager
def killed_at(place: Any, name: str, call: int = 1, *, after: bool = False) -> Iterator[None]:
    """Raise `SimulatedKill` in the given call of a function of a module or class, before or after it has run."""
    real, calls = getattr(place, name), count(1)

    def killed(*arguments: Any, **keywords: Any) -> Any:
        last = next(calls) == call
        if last and not after:
            raise SimulatedKill
        result = real(*arguments, **keywords)
        if last:
            raise SimulatedKill
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, name, killed)
        yield
