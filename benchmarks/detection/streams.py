"""Simulated streams: the simulator's drifts, scored day by day by a model trained beforehand."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.detection.features import CHANCE, features
from benchmarks.detection.harm import ExpectedPerformance, harmful_chunks, performance
from benchmarks.detection.stream import Stream, Truth
from churn.columns import FEATURES, TRAILING_STATISTICS, USAGE_OF_CDR, Cdr, Processed, trailing
from driftline.engine.results import EVENT_TIME, LABEL, PREDICTION, SCORE
from driftline.engine.spec import ColumnSpec, Spec
from flaskapp.world import Drift, DriftKind, Parameters, World

START = date(2026, 1, 1)
SUBSCRIBERS = 1_000
TRAINING, GAP, REFERENCE = 40, 3, 21
"""Days of each window, in this order; then comes the analysis. A chunk is a day."""
CALM = 40
"""Days of the analysis without drift."""
LEAD, DRIFTED = 2, 10
"""Days of the analysis before a drift and with it. The lead is the first days of the calm stream."""
WATCHED = START + timedelta(days=TRAINING + GAP)
ANALYSIS = WATCHED + timedelta(days=REFERENCE)
BREAK = ANALYSIS + timedelta(days=LEAD)
CUT = 0.25
"""A score above this predicts churn."""

SIZES: dict[DriftKind, tuple[float, float, float]] = {
    DriftKind.COVARIATE: (0.2, 0.5, 1.0),
    DriftKind.MIX: (0.2, 0.4, 0.8),
    DriftKind.CONCEPT: (0.2, 0.4, 0.8),
    DriftKind.PRIOR: (0.5, 1.0, 2.0),
    DriftKind.MISSING: (0.1, 0.3, 0.8),
    DriftKind.UNIT: (0.5, 10.0, 60.0),
}
"""Small, medium and large sizes, in the unit of each kind."""
COLUMNS = {DriftKind.MISSING: Cdr.MOC_DURATION, DriftKind.UNIT: Cdr.MOC_DURATION}
"""The column of a kind that affects one column."""
SPEC = Spec(columns=tuple(ColumnSpec(name=name) for name in FEATURES))


@dataclass(frozen=True, eq=False)
class _History:
    """What the streams of a seed share: the model, the scored reference, and the days without drift after it."""

    model: HistGradientBoostingClassifier
    reference: pd.DataFrame
    calm: pd.DataFrame
    usual: tuple[ExpectedPerformance, ...]


def simulated(seed: int) -> Iterator[Stream]:
    """Yield a stream without drift and one for each kind and size of drift; they share the reference."""
    history = _history(seed)
    calm = Truth("none", f"seed {seed}", drifts=(False,) * CALM, harmful=(False,) * CALM)
    yield Stream(calm, history.reference, history.calm, SPEC)
    for kind, sizes in SIZES.items():
        for size in sizes:
            yield _drifted(seed, history, Drift(kind, size, BREAK, COLUMNS.get(kind)))


def _history(seed: int) -> _History:
    rows = features(World(parameters(seed)), START, (ANALYSIS - START).days + CALM)
    day = rows[EVENT_TIME].dt.date
    training = rows[day < START + timedelta(days=TRAINING)]
    model = HistGradientBoostingClassifier(max_iter=60, learning_rate=0.1, max_leaf_nodes=8, random_state=seed)
    model.fit(training[list(FEATURES)], training[LABEL])
    reference = _scored(model, rows[(day >= WATCHED) & (day < ANALYSIS)])
    return _History(model, reference, _scored(model, rows[day >= ANALYSIS]), _by_day(reference))


def _drifted(seed: int, history: _History, drift: Drift) -> Stream:
    lead = history.calm[history.calm[EVENT_TIME].dt.date < BREAK]
    rows = features(World(parameters(seed, drift)), BREAK, DRIFTED)
    analysis = pd.concat([lead, _scored(history.model, rows)], ignore_index=True)
    drifts = (False,) * LEAD + (True,) * DRIFTED
    harmful = harmful_chunks(history.usual, _by_day(analysis), drifts)
    truth = Truth(
        f"{drift.kind} {drift.size:g}", f"seed {seed}", drifts, harmful, _columns(drift), frozenset(FEATURES), LEAD
    )
    return Stream(truth, history.reference, analysis, SPEC)


def parameters(seed: int, *drifts: Drift) -> Parameters:
    """Return the simulated world of a seed, with these drifts."""
    return Parameters(seed=seed, start_date=START, subscribers=SUBSCRIBERS, drifts=drifts)


def _scored(model: HistGradientBoostingClassifier, rows: pd.DataFrame) -> pd.DataFrame:
    score = model.predict_proba(rows[list(FEATURES)])[:, 1]
    return rows.assign(**{SCORE: score, PREDICTION: (score > CUT).astype(np.int64)}).reset_index(drop=True)


def _by_day(rows: pd.DataFrame) -> tuple[ExpectedPerformance, ...]:
    return tuple(performance(day, CHANCE) for _, day in rows.groupby(rows[EVENT_TIME].dt.date))


def _columns(drift: Drift) -> frozenset[str]:
    """Return the features that a drift changes; a drift of all usage also changes the days with usage."""
    if drift.kind in {DriftKind.CONCEPT, DriftKind.PRIOR}:
        return frozenset()
    names = [str(name) for name, source in USAGE_OF_CDR.items() if drift.column in {None, source}]
    days = [] if drift.column else [str(Processed.DAYS_SEEN)]
    return frozenset(
        [*days, *names, *(trailing(name, statistic) for name in names for statistic in TRAILING_STATISTICS)]
    )
