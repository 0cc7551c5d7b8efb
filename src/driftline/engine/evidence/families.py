"""The families of evidence, their components and weights, and when each gets its data. No I/O here."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from driftline.engine.columns import FloatArray
from driftline.engine.evidence import expected_metrics, ranking, realized_metrics, share


class Place(StrEnum):
    """When a family gets a chunk's data: its scores when the chunk closes, its labels when they are due."""

    SCORES = "scores"
    LABELS = "labels"


class Family(StrEnum):
    """What a family of evidence is about."""

    SHARE = "share of positives"
    RANKING = "ranking"
    EXPECTED = "expected metric"
    REALIZED = "realized metric"


@dataclass(frozen=True, slots=True)
class Components:
    """The components of one family: how many, their weight together, and when their data comes."""

    family: Family
    count: int
    weight: float
    place: Place


FAMILIES = (
    Components(Family.SHARE, share.COMPONENTS, 1.0, Place.LABELS),
    Components(Family.RANKING, ranking.COMPONENTS, 1.0, Place.LABELS),
    Components(Family.EXPECTED, expected_metrics.COMPONENTS, 1.0, Place.SCORES),
    Components(Family.REALIZED, realized_metrics.COMPONENTS, 0.25, Place.LABELS),
)
"""In the order in which their components are in every array."""
COUNT = sum(row.count for row in FAMILIES)
FAMILY_OF: tuple[Family, ...] = tuple(row.family for row in FAMILIES for _ in range(row.count))
PLACE_OF: tuple[Place, ...] = tuple(row.place for row in FAMILIES for _ in range(row.count))


def _weights() -> FloatArray:
    total = sum(row.weight for row in FAMILIES)
    return np.concatenate([np.full(row.count, row.weight / row.count / total) for row in FAMILIES])


WEIGHTS = _weights()
"""The weight of each component; they add up to 1."""


def columns(family: Family) -> slice:
    """Return the components of a family as a slice of the last axis."""
    first = FAMILY_OF.index(family)
    return slice(first, first + FAMILY_OF.count(family))


IN_PLACE = {place: np.array([other is place for other in PLACE_OF]) for place in Place}
"""Which components get their data at each place."""
