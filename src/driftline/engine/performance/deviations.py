"""Standard errors of metrics, from what one row of the reference says and the number of rows. No I/O here."""

from dataclasses import dataclass
from math import sqrt
from typing import Any, Self

from driftline.engine.catalogue import base
from driftline.engine.outcome import finite
from driftline.engine.results import Metric


@dataclass(frozen=True, slots=True)
class Deviations:
    """By metric the standard deviation of one row, in the metric's unit; one that the reference cannot tell has none.

    A cell of a confusion matrix is a sum over rows, any other metric a mean.
    """

    by_method: dict[str, float]

    def error(self, method: str, rows: int) -> float | None:
        """Return one standard error of `method` over `rows` rows."""
        deviation = self.by_method.get(method)
        if deviation is None or not rows:
            return None
        return finite(deviation * sqrt(rows) if base(method) == Metric.CONFUSION_MATRIX else deviation / sqrt(rows))

    def to_dict(self) -> dict[str, Any]:
        """Return the state as values that JSON has."""
        return dict(self.by_method)

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return what `to_dict` was made from."""
        return cls(dict(state))

    @classmethod
    def of(cls, by_method: dict[str, float]) -> Self:
        """Keep the deviations that are finite."""
        return cls({str(method): value for method, found in by_method.items() if (value := finite(found)) is not None})
