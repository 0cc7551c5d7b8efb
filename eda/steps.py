"""One log line per step, with its duration in seconds."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0


@dataclass
class LoggedStep:
    """The message that is logged when a step ends."""

    message: str


@contextmanager
def step(message: str) -> Iterator[LoggedStep]:
    """Log the message of a step and its duration when it ends without an error."""
    result, start = LoggedStep(message), time.perf_counter()
    yield result
    log.info("%s (%.1f s)", result.message, time.perf_counter() - start)


class ProgressLog:
    """Logs the progress of a long read, at most every few seconds."""

    def __init__(self, total: int) -> None:
        self.total, self._next = total, time.perf_counter() + EVERY_SECONDS

    def __call__(self, rows_read: int) -> None:
        """Log how many records were read, unless the last line is recent."""
        now = time.perf_counter()
        if now >= self._next:
            self._next = now + EVERY_SECONDS
            log.info(
                "… %s of %s records (%.0f %%)",
                f"{rows_read:,}",
                f"{self.total:,}",
                100 * rows_read / max(self.total, 1),
            )
