"""One log line a step, with its seconds."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0


@dataclass
class Step:
    """What a step says of itself when it is done."""

    says: str


@contextmanager
def step(says: str) -> Iterator[Step]:
    """Log what was done and the seconds it took, once it went well."""
    done, start = Step(says), time.perf_counter()
    yield done
    log.info("%s (%.1f s)", done.says, time.perf_counter() - start)


class ProgressLog:
    """Logs how far a long read has come, at most every few seconds."""

    def __init__(self, total: int) -> None:
        self.total, self._next = total, time.perf_counter() + EVERY_SECONDS

    def __call__(self, seen: int) -> None:
        """Print how many records were read, if the last line is old enough."""
        now = time.perf_counter()
        if now >= self._next:
            self._next = now + EVERY_SECONDS
            log.info("… %s of %s records (%.0f %%)", f"{seen:,}", f"{self.total:,}", 100 * seen / max(self.total, 1))
