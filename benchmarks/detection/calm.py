"""Count false alerts on long worlds without drift, by hour, day and week.

    python -m benchmarks.detection.calm --seeds 304:308

Each seed makes a world of about two and a half years: a model, a reference, and two years without drift. The features
are not compared; instead drift seems to last in one chunk of fifty, at random. An alert that the detector gives is
false, though some days are truly worse: usage wanders.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.detection.features import features
from benchmarks.detection.streams import CUT, START, parameters
from churn.columns import FEATURES
from driftline.engine.evidence.by_problem.binary_evidence import FittedBinaryEvidence
from driftline.engine.evidence.by_problem.binary_fit import fit_evidence
from driftline.engine.evidence.chunk_evidence import AlertRule, ChunkEvidence, DetectorInput
from driftline.engine.evidence.no_evidence import NoEvidence
from driftline.engine.evidence.replay import replay
from driftline.engine.performance.binary.rows import BinaryRows
from driftline.engine.results import EVENT_TIME, LABEL, PREDICTION, SCORE
from flaskapp.world import World

TRAINING, GAP, BEFORE, DAYS, AT_ONCE = 40, 3, 182, 730, 60
"""Days of training, without use, of possible reference, without drift, and made at a time."""
REFERENCE_DAYS = 21
DRIFTING = 0.02
LENGTHS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
YEAR = timedelta(days=365.25)
ORIGIN = datetime(2026, 1, 1, tzinfo=UTC)
Days = list[pd.DataFrame]


def main() -> None:
    """Print the false alerts of each unit and budget."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="304:308", metavar="FIRST:END", help="END is not included")
    parser.add_argument("--budget", action="append", type=float, help="alerts a year; may be given again; default: 1")
    options = parser.parse_args()
    first, end = (int(part) for part in options.seeds.split(":"))
    worlds = {seed: _days(seed) for seed in range(first, end)}
    for unit in LENGTHS:
        for budget in options.budget or [1.0]:
            print(_row(unit, budget, [_count(seed, days, unit, budget) for seed, days in worlds.items()]), flush=True)


@dataclass(frozen=True)
class AlertCount:
    """What the evidence reports of one world: chunks, alerts, warnings, chunks in an incident, chunks without skill."""

    chunks: int
    alerts: int
    warnings: int
    in_incident: int
    no_skill: int


def _row(unit: str, budget: float, counts: Sequence[AlertCount]) -> str:
    chunks, alerts = sum(c.chunks for c in counts), sum(c.alerts for c in counts)
    years = chunks * (LENGTHS[unit] / YEAR)
    return (
        f"{unit}, {budget:g} a year: {alerts} false alerts in {years:.1f} years ({alerts / years:.2f} a year; "
        f"{100 * alerts / chunks:.3f} per 100 chunks; by world {[c.alerts for c in counts]}); "
        f"warnings {sum(c.warnings for c in counts)}, in an incident {sum(c.in_incident for c in counts)}, "
        f"no skill {sum(c.no_skill for c in counts)} of {chunks} chunks"
    )


def _days(seed: int) -> Days:
    """Return the scored rows of each day after the training, possible references first."""
    world = World(parameters(seed))
    training = features(world, START, TRAINING)
    model = HistGradientBoostingClassifier(max_iter=60, learning_rate=0.1, max_leaf_nodes=8, random_state=seed)
    model.fit(training[list(FEATURES)], training[LABEL])
    days: Days = []
    for first in range(0, BEFORE + DAYS, AT_ONCE):
        count = min(AT_ONCE, BEFORE + DAYS - first)
        rows = features(world, START + timedelta(days=TRAINING + GAP + first), count)
        score = model.predict_proba(rows[list(FEATURES)])[:, 1]
        scored = rows[[EVENT_TIME, LABEL]].assign(**{SCORE: score, PREDICTION: (score > CUT).astype(np.int64)})
        days += [day.drop(columns=EVENT_TIME) for _, day in scored.groupby(scored[EVENT_TIME].dt.date)]
    return days


def _count(seed: int, days: Days, unit: str, budget: float) -> AlertCount:
    """Count the alerts, warnings and incidents of one calm stream, cut into chunks of a unit."""
    random = np.random.default_rng(seed)
    past = days[:BEFORE] if unit == "week" else days[BEFORE - REFERENCE_DAYS : BEFORE]
    reference = list(_cut(past, unit, random))
    fitted = _fit(reference, unit)
    chunks = [
        _chunk(fitted, place, rows, LENGTHS[unit], drifting=bool(random.random() < DRIFTING))
        for place, rows in enumerate(_cut(days[BEFORE:], unit, random))
    ]
    evidence = replay(fitted, AlertRule(budget), chunks).evidence
    reported = [evidence.get(chunk.start, ChunkEvidence()) for chunk in chunks]
    return AlertCount(
        len(chunks),
        sum(chunk.alert for chunk in reported),
        sum(chunk.warning for chunk in reported),
        sum(chunk.incident_since is not None for chunk in reported),
        sum(chunk.no_skill is not None for chunk in reported),
    )


def _cut(days: Days, unit: str, random: np.random.Generator) -> Iterator[pd.DataFrame]:
    """Cut days into hours at random, or join them to weeks."""
    if unit == "day":
        yield from days
    elif unit == "week":
        yield from (pd.concat(days[first : first + 7]) for first in range(0, len(days) - 6, 7))
    else:
        for day in days:
            hours = random.integers(0, 24, len(day))
            yield from (day[hours == hour] for hour in range(24))


def _fit(reference: Sequence[pd.DataFrame], unit: str) -> FittedBinaryEvidence:
    rows, a_day = pd.concat(reference), timedelta(days=1) // LENGTHS[unit]
    days = [1 + place // a_day for place in range(len(reference))] if a_day else None
    scores, predictions, labels = (rows[name].to_numpy(np.float64) for name in (SCORE, PREDICTION, LABEL))
    fitted = fit_evidence(scores, predictions, labels, [len(chunk) for chunk in reference], days)
    if isinstance(fitted, NoEvidence):
        raise ValueError(fitted.reason)
    return fitted


def _chunk(
    fitted: FittedBinaryEvidence, place: int, rows: pd.DataFrame, length: timedelta, *, drifting: bool
) -> DetectorInput:
    start, end = ORIGIN + place * length, ORIGIN + (place + 1) * length
    counts = fitted.bins.counts(_binary_rows(rows))
    weekday = (start - ORIGIN).days % 7  # the reference is whole weeks
    return DetectorInput(start, end, end, end, counts, closed=True, labels_in=True, drifting=drifting, weekday=weekday)


def _binary_rows(rows: pd.DataFrame) -> BinaryRows:
    order = np.argsort(rows[SCORE].to_numpy(), kind="stable")
    predictions, labels = (_integers(rows, name)[order] for name in (PREDICTION, LABEL))
    return BinaryRows(rows[SCORE].to_numpy()[order], predictions, labels, np.ones(len(rows), dtype=np.int64))


def _integers(rows: pd.DataFrame, name: str) -> npt.NDArray[np.int64]:
    return rows[name].to_numpy(np.int64)


if __name__ == "__main__":
    main()
