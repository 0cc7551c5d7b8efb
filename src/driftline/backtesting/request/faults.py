"""Collection of the faults of a request, so that one error lists them all. No I/O here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from driftline.errors import InvalidInput

T = TypeVar("T")


@dataclass(slots=True)
class Faults:
    """The faults so far, one message for each."""

    messages: list[str] = field(default_factory=list)

    def collect(self, read: Callable[[], T]) -> T | None:
        """Return the value of `read`; where it raises InvalidInput, store its faults and return None."""
        try:
            return read()
        except InvalidInput as error:
            self.messages.extend(error.details or (error.message,))
            return None

    def raise_any(self) -> None:
        """Raise one InvalidInput with all faults, if there are any."""
        if self.messages:
            raise InvalidInput("The backtest cannot start.", details=tuple(self.messages))
