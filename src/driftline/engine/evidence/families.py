"""The families of evidence: their components, their weights, and the stage at which each gets its data. No I/O here."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from driftline.engine.columns import FloatArray
from driftline.engine.evidence import expected_metrics, ranking, realized_metrics, share


class Stage(StrEnum):
    """The stage at which data of a chunk arrives: scores when the chunk closes, labels when they are due."""

    SCORES = "scores"
    LABELS = "labels"


class Family(StrEnum):
    """The quantity whose change a family of evidence tests."""

    SHARE = "share of positives"
    RANKING = "ranking"
    EXPECTED = "expected metric"
    REALIZED = "realized metric"


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
"""In the order of their components in every array."""
COUNT = sum(row.count for row in FAMILIES)
FAMILY_OF: tuple[Family, ...] = tuple(row.family for row in FAMILIES for _ in range(row.count))
STAGE_OF: tuple[Stage, ...] = tuple(row.stage for row in FAMILIES for _ in range(row.count))


def _weights() -> FloatArray:
    total = sum(row.weight for row in FAMILIES)
    return np.concatenate([np.full(row.count, row.weight / row.count / total) for row in FAMILIES])


WEIGHTS = _weights()
"""The weight of each component; they add up to 1."""


def columns(family: Family) -> slice:
    """Return the components of a family as a slice of the last axis."""
    first = FAMILY_OF.index(family)
    return slice(first, first + FAMILY_OF.count(family))


IN_STAGE = {stage: np.array([component_stage is stage for component_stage in STAGE_OF]) for stage in Stage}
"""A mask, by stage, of the components that get their data at it."""
