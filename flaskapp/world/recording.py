"""Turns true usage into recorded values, with units and missing values. No I/O here."""

from collections.abc import Sequence
from datetime import date

import numpy as np

from churn.columns import CDR_USAGE, Cdr
from flaskapp.world.draws import Purpose, generator
from flaskapp.world.drifts import Drift, DriftKind
from flaskapp.world.population import Ints, Population
from flaskapp.world.usage import Bools, Usage

MICROSECONDS = 86_400_000_000
LATE = (5.0, 1.5)
"""Beta distribution of when in its day a subscriber's last usage falls: mostly in the evening."""


def recorded(usage: Usage, people: Population, day: date, drifts: Sequence[Drift]) -> dict[Cdr, tuple[Ints, Bools]]:
    """Return each usage column as recorded: values, and a mask of those that are NULL, one per subscriber."""
    active = [drift for drift in drifts if drift.active(day)]
    return {
        column: (_in_unit(usage.columns[column], column, active), _missing(people, day, column, active))
        for column in CDR_USAGE
    }


def stamps(people: Population, day: date) -> Ints:
    """Return the instant of each subscriber's last usage in the day, in microseconds since 1970 (UTC)."""
    share = generator(people.seed, Purpose.STAMP, day.toordinal()).beta(*LATE, size=people.subscribers)
    start = (day.toordinal() - date(1970, 1, 1).toordinal()) * MICROSECONDS
    return start + np.minimum((share * MICROSECONDS).astype(np.int64), MICROSECONDS - 1)


def _in_unit(values: Ints, column: Cdr, drifts: Sequence[Drift]) -> Ints:
    sizes = [drift.size for drift in drifts if drift.kind is DriftKind.UNIT and drift.touches(column)]
    return np.rint(values / np.prod(sizes)).astype(np.int64) if sizes else values


def _missing(people: Population, day: date, column: Cdr, drifts: Sequence[Drift]) -> Bools:
    recorded_share = np.prod([1.0 - d.size for d in drifts if d.kind is DriftKind.MISSING and d.touches(column)])
    if recorded_share == 1.0:
        return np.zeros(people.subscribers, dtype=np.bool_)
    draw = generator(people.seed, Purpose.MISSING, CDR_USAGE.index(column), day.toordinal())
    result: Bools = draw.random(people.subscribers) >= recorded_share
    return result
