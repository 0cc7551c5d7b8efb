"""Standard errors of a binary model's metrics, from the reference's spread and the chunk's rows. No I/O here."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from driftline.engine.catalogue import SCORE_METRICS
from driftline.engine.frames.columns import FloatArray
from driftline.engine.performance.binary.metrics import COMPUTATIONS
from driftline.engine.performance.binary.spreads import MetricSpread, ReferenceRows
from driftline.engine.results import Metric
from driftline.engine.spec import Spec


@dataclass(frozen=True, slots=True)
class SamplingErrors:
    """The spread of each metric in the reference; a metric that is undefined there has none."""

    spreads: dict[Metric, MetricSpread]

    def of(self, metric: Metric, rows: int) -> float | None:
        """Return one standard error of `metric` over `rows` rows, in the metric's unit."""
        spread = self.spreads.get(metric)
        return spread.error(rows) if spread else None

    def scatter(self, metric: Metric, rows: int) -> float | None:
        """Return the true standard error, which widens bounds; NannyML's error of F1 is larger."""
        spread, error = self.spreads.get(metric), self.of(metric, rows)
        return None if spread is None or error is None else error / spread.overstated

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON-compatible values."""
        return {metric.value: [s.deviation, s.share, s.total, s.overstated] for metric, s in self.spreads.items()}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        return cls({Metric(name): MetricSpread(*parts) for name, parts in state.items()})


def fit(scores: FloatArray, predictions: FloatArray, labels: FloatArray, spec: Spec) -> SamplingErrors:
    """Measure the spread of the spec's metrics in the reference, from scores and 0/1 predictions and labels.

    All are in time order, NaN is missing; each metric uses the rows that have its inputs. A metric without a spread has
    no standard error.
    """
    scored, predicted = (
        ReferenceRows(scores[rows], predictions[rows] == 1, labels[rows] == 1, spec)
        for rows in (np.isfinite(values) & np.isfinite(labels) for values in (scores, predictions))
    )
    spreads = {m: COMPUTATIONS[m].spread(scored if m in SCORE_METRICS else predicted) for m in spec.metrics}
    return SamplingErrors({metric: spread for metric, spread in spreads.items() if spread})
