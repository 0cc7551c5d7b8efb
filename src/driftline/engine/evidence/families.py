"""The families of evidence: their components, their weights, and the stage at which each gets its data. No I/O here."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from driftline.engine.evidence.metrics import expected_metrics, ranking, realized_metrics, share
from driftline.engine.frames.columns import BoolArray, FloatArray


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
    """The components of one family: their number, their total weight, and the stage at which their data arrives."""

    family: Family
    count: int
    weight: float
    stage: Stage


FAMILIES = (
    Components(Family.SHARE, share.COMPONENTS, 1.0, Stage.LABELS),
    Components(Family.RANKING, ranking.COMPONENTS, 1.0, Stage.LABELS),
    Components(Family.EXPECTED, expected_metrics.COMPONENTS, 1.0, Stage.SCORES),
    Components(Family.REALIZED, realized_metrics.COMPONENTS, 0.25, Stage.LABELS),
)
"""The families of a binary model, and of each class of a multiclass model, in the order of their components."""


@dataclass(frozen=True, eq=False)
class ComponentTable:
    """The components of a model's detector, in the order of every array: family, class, stage and weight of each.

    The class is None except for multiclass models. The weights add up to 1, so that the mass of all components together
    is the time that passes, however many there are.
    """

    families: tuple[Family, ...]
    classes: tuple[str | None, ...]
    stages: tuple[Stage, ...]
    weights: FloatArray

    @classmethod
    def of(cls, rows: Sequence[Components], classes: Sequence[str | None] = (None,)) -> "ComponentTable":
        """Return the components of these families, repeated for each class, with equal weights of classes."""
        repeated = [(row, name) for name in classes for row in rows for _ in range(row.count)]
        weights = np.array([row.weight / row.count for row, _ in repeated])
        return cls(
            tuple(row.family for row, _ in repeated),
            tuple(name for _, name in repeated),
            tuple(row.stage for row, _ in repeated),
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
