"""A choice that a request left open, and the rule that made it. No I/O here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Inference:
    """A choice that the request left open: what it is about, its value, and the rule that made it.

    A notable one contradicts what a reader expects of the data, and is shown before all results.
    """

    what: str
    value: str
    rule: str
    notable: bool = False

    def __str__(self) -> str:
        return f"{self.what}: {self.value} ({self.rule})"
