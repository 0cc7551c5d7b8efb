"""Standard errors of metrics, from the standard deviation of one row and the number of rows. No I/O here."""

from dataclasses import dataclass
from math import sqrt
from typing import Any, Self

from driftline.engine.catalogue import base
from driftline.engine.outcome import finite
from driftline.engine.results import Metric


@dataclass(frozen=True, slots=True)
class RowDeviations:
    """The standard deviation of one row by metric, in the metric's unit; metrics undefined in the reference have none.

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
        """Return the state as JSON-compatible values."""
        return dict(self.by_method)

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        return cls(dict(state))

    @classmethod
    def of(cls, by_method: dict[str, float]) -> Self:
        """Store the deviations that are finite."""
        return cls({str(method): value for method, raw in by_method.items() if (value := finite(raw)) is not None})
