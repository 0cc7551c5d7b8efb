"""A value that was inferred because a request left it open, and the rule behind it. No I/O here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Inference:
    """A value that was inferred because the request left it open: its subject, the value, and the rule behind it.

    A notable inference contradicts the usual expectations of the data, and is shown before all results.
    """

    what: str
    value: str
    rule: str
    notable: bool = False

    def __str__(self) -> str:
        return f"{self.what}: {self.value} ({self.rule})"
