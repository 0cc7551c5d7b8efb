"""The families of evidence: their components, their weights, and the stage at which each gets its data. No I/O here."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from driftline.engine.evidence.metrics import expected_metrics, ranking, realized_metrics, residual_tilts, share
from driftline.engine.evidence.metrics.bin_metrics import METRICS
from driftline.engine.frames.columns import BoolArray, FloatArray
from driftline.engine.results import Metric


class Stage(StrEnum):
    """The stage at which data of a chunk arrives: scores when the chunk closes, labels when they are due."""

    SCORES = "scores"
    LABELS = "labels"


class Family(StrEnum):
    """The quantity whose change a family of evidence tests; the last three are those of a regression."""

    SHARE = "share of positives"
    RANKING = "ranking"
    EXPECTED = "expected metric"
    REALIZED = "realized metric"
    MEAN_RESIDUAL = "mean residual"
    RESIDUAL_SIZE = "residual size"
    EXPECTED_LOSS = "expected loss"


@dataclass(frozen=True, slots=True)
class Components:
    """The components of one family: their number, their total weight, and the stage at which their data arrives.

    `metrics` are those that the components test, again and again in this order; none where they test another quantity.
    """

    family: Family
    count: int
    weight: float
    stage: Stage
    metrics: tuple[Metric, ...] = ()


FAMILIES = (
    Components(Family.SHARE, share.COMPONENTS, 1.0, Stage.LABELS),
    Components(Family.RANKING, ranking.COMPONENTS, 1.0, Stage.LABELS, (Metric.ROC_AUC,)),
    Components(Family.EXPECTED, expected_metrics.COMPONENTS, 1.0, Stage.SCORES, METRICS),
    Components(Family.REALIZED, realized_metrics.COMPONENTS, 0.25, Stage.LABELS, METRICS),
)
"""The families of a binary model, and of each class of a multiclass model, in the order of their components."""


@dataclass(frozen=True, eq=False)
class ComponentTable:
    """The components of a model's detector, in the order of every array: family, class, metric, stage and weight.

    The class is None except for multiclass models, the metric where a component tests none. The weights add up to 1, so
    that the mass of all components together is the time that passes, however many there are.
    """

    families: tuple[Family, ...]
    classes: tuple[str | None, ...]
    metrics: tuple[Metric | None, ...]
    stages: tuple[Stage, ...]
    weights: FloatArray

    @classmethod
    def of(cls, rows: Sequence[Components], classes: Sequence[str | None] = (None,)) -> "ComponentTable":
        """Return the components of these families, repeated for each class, with equal weights of classes."""
        repeated = [(row, name, place) for name in classes for row in rows for place in range(row.count)]
        weights = np.array([row.weight / row.count for row, _, _ in repeated])
        return cls(
            tuple(row.family for row, _, _ in repeated),
            tuple(name for _, name, _ in repeated),
            tuple(row.metrics[place % len(row.metrics)] if row.metrics else None for row, _, place in repeated),
            tuple(row.stage for row, _, _ in repeated),
            weights / weights.sum(),
        )

    @property
    def count(self) -> int:
        """The number of components."""
        return len(self.families)

    @cached_property
    def stage_masks(self) -> dict[Stage, BoolArray]:
        """A mask, by stage, of the components that get their data at it."""
        return {stage: np.array([of_component is stage for of_component in self.stages]) for stage in Stage}

    def columns(self, family: Family) -> slice:
        """Return the components of a family, of the first class, as a slice of the last axis."""
        first = self.families.index(family)
        number = sum(
            (name, name_of) == (family, self.classes[first])
            for name, name_of in zip(self.families, self.classes, strict=True)
        )
        return slice(first, first + number)


BINARY = ComponentTable.of(FAMILIES)
"""The components of a binary model."""
REGRESSION = ComponentTable.of(
    (
        Components(Family.MEAN_RESIDUAL, 2 * len(residual_tilts.TILTS), 1.0, Stage.LABELS),
        Components(Family.RESIDUAL_SIZE, len(residual_tilts.TILTS), 1.0, Stage.LABELS, (Metric.MAE,)),
        Components(Family.EXPECTED_LOSS, 1, 1.0, Stage.SCORES),
    )
)
"""The components of a regression: a mean residual that rises or falls, larger residuals, a higher expected loss."""


def metric_of(family: Family, component: int) -> Metric | None:
    """Return the metric that a component tests; those of every class of a multiclass model are those of `BINARY`."""
    table = BINARY if family in BINARY.families else REGRESSION
    return table.metrics[component % table.count]
