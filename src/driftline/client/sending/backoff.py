"""When to try again after a failure. No I/O here."""

from dataclasses import dataclass, field
from random import Random

FIRST = 0.5
LONGEST = 60.0


@dataclass
class Backoff:
    """Waits twice as long after each failure, at most a minute, less a random share of up to a half.

    The random share keeps many processes from returning all at once after an outage.
    """

    random: Random = field(default_factory=Random)
    failures: int = 0
    not_before: float = 0.0
    """The time before which nothing is sent, on the clock of the `now` that is passed to `record_failure`."""
    requested: bool = False
    """Whether the monitor itself asked to wait."""

    def record_failure(self, now: float, wait: float | None) -> None:
        """Put off the next attempt as long as the monitor asks (`wait`), else longer after each failure."""
        delay = min(LONGEST, FIRST * 2.0 ** min(self.failures, 20)) * self.random.uniform(0.5, 1)
        self.failures += 1
        self.requested = wait is not None
        self.not_before = now + (delay if wait is None else wait)

    def record_success(self) -> None:
        """Forget earlier failures."""
        self.failures = 0
        self.not_before = 0.0
        self.requested = False

    def retry_now(self) -> None:
        """Try again at once, unless the monitor asked to wait."""
        if not self.requested:
            self.not_before = 0.0
