"""Streams with known truth: the simulator's drifts, scored day by day by a model trained before them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from driftline.columns import FEATURES, TRAILING_DAYS, USAGE_OF_CDR, Cdr, Processed, trailing
from driftline.engine.results import EVENT_TIME, ID, LABEL, PREDICTION, SCORE
from driftline.engine.spec import ColumnSpec, ModelSpec
from flaskapp.world import Drift, DriftKind, Parameters, World

START = date(2026, 1, 1)
SUBSCRIBERS = 1_000
TRAINING, GAP, REFERENCE, CLEAN, DRIFTED = 40, 3, 21, 10, 10
"""Days of each window, in this order; a chunk is a day."""
ANALYSIS = START + timedelta(days=TRAINING + GAP + REFERENCE)
BREAK = ANALYSIS + timedelta(days=CLEAN)
"""The first day that drifts, where one does."""
END = BREAK + timedelta(days=DRIFTED)

SIZES: dict[DriftKind, tuple[float, float, float]] = {
    DriftKind.COVARIATE: (0.2, 0.5, 1.0),
    DriftKind.MIX: (0.2, 0.4, 0.8),
    DriftKind.CONCEPT: (0.2, 0.4, 0.8),
    DriftKind.PRIOR: (0.5, 1.0, 2.0),
    DriftKind.MISSING: (0.1, 0.3, 0.8),
    DriftKind.UNIT: (0.5, 10.0, 60.0),
}
"""Small, middling and large, in each kind's own measure."""
COLUMNS = {DriftKind.MISSING: Cdr.MOC_DURATION, DriftKind.UNIT: Cdr.MOC_DURATION}
"""Where a kind drifts in one column."""
SPEC = ModelSpec(columns=tuple(ColumnSpec(name=name) for name in FEATURES))


@dataclass(frozen=True)
class Stream:
    """Scored and labelled rows of the reference and of the analysis, and what is true of them.

    `drifts` are whether each analysis day drifts, in order; `columns` the features that change, empty where no feature
    of its own does. `seed` tells streams for tuning from those for reporting.
    """

    name: str
    seed: int
    reference: pd.DataFrame
    analysis: pd.DataFrame
    drifts: tuple[bool, ...]
    columns: frozenset[str]
    spec: ModelSpec


def simulated(seeds: range) -> Iterator[Stream]:
    """Give, for each seed, a stream without drift and one for each kind and size of drift."""
    for seed in seeds:
        yield _stream(seed, None)
        for kind, sizes in SIZES.items():
            for size in sizes:
                yield _stream(seed, Drift(kind, size, BREAK, COLUMNS.get(kind)))


def _stream(seed: int, drift: Drift | None) -> Stream:
    model, reference, before = _history(seed)
    world = World(Parameters(seed=seed, start_date=START, subscribers=SUBSCRIBERS, drifts=(drift,) if drift else ()))
    recent = BREAK - timedelta(days=TRAILING_DAYS)
    after = _features(pd.concat([_recorded(world, day) for day in _days(recent, END)]), since=BREAK)
    analysis = _scored(model, pd.concat([before, after]))
    name = f"{drift.kind} {drift.size:g}" if drift else "none"
    drifts = tuple(day >= BREAK and drift is not None for day in _days(ANALYSIS, END))
    return Stream(name, seed, reference, analysis, drifts, _changed(drift), SPEC)


@lru_cache(maxsize=1)
def _history(seed: int) -> "tuple[HistGradientBoostingClassifier, pd.DataFrame, pd.DataFrame]":
    """Train on a seed's first days; give the model, the scored reference, and the clean days' features."""
    world = World(Parameters(seed=seed, start_date=START, subscribers=SUBSCRIBERS))
    rows = _features(pd.concat([_recorded(world, day) for day in _days(START, BREAK)]), since=START)
    days = rows[EVENT_TIME].dt.date
    training = rows[days < START + timedelta(days=TRAINING)]
    model = HistGradientBoostingClassifier(max_iter=60, learning_rate=0.1, max_leaf_nodes=8, random_state=seed)
    model.fit(training[list(FEATURES)], training[LABEL])
    watched = (days >= START + timedelta(days=TRAINING + GAP)) & (days < ANALYSIS)
    return model, _scored(model, rows[watched]), rows[days >= ANALYSIS]


def _scored(model: HistGradientBoostingClassifier, rows: pd.DataFrame) -> pd.DataFrame:
    score = model.predict_proba(rows[list(FEATURES)])[:, 1]
    return rows.assign(**{SCORE: score, PREDICTION: (score > 0.25).astype(np.int64)}).reset_index(drop=True)


def _recorded(world: World, day: date) -> pd.DataFrame:
    """Give a day's records with all their labels."""
    return world.records_of_day(day, labels_as_of=day + timedelta(days=world.parameters.label_delay)).assign(day=day)


def _features(records: pd.DataFrame, since: date) -> pd.DataFrame:
    """Give the churn model's features of the rows from `since` on; a day without a record is a day without usage."""
    days, people = pd.Index(sorted(records["day"].unique())), pd.Index(sorted(records[Cdr.MSISDN].unique()))
    keyed = records.set_index(["day", Cdr.MSISDN])
    grid = pd.MultiIndex.from_product([days, people])
    seen = keyed[Cdr.PSEUDO_CHURNED].reindex(grid).notna().unstack()
    columns: dict[str, pd.DataFrame] = {}
    for name, source in USAGE_OF_CDR.items():
        usage = keyed[source].astype("float64").reindex(grid).unstack()
        known = usage.where(seen, 0.0)
        window = known.rolling(TRAILING_DAYS, min_periods=1)
        columns |= {str(name): usage, trailing(name, "sum"): window.sum(), trailing(name, "mean"): window.mean()}
        columns[trailing(name, "std")] = window.std()
    columns[str(Processed.DAYS_SEEN)] = seen.astype(float).rolling(TRAILING_DAYS, min_periods=1).sum()
    columns[LABEL] = keyed[Cdr.PSEUDO_CHURNED].astype("float64").reindex(grid).unstack()
    rows = pd.DataFrame({name: frame.stack(future_stack=True) for name, frame in columns.items()})
    rows = rows[rows[LABEL].notna()].rename_axis(["day", "person"]).reset_index()
    rows = rows[rows["day"] >= since]
    times = pd.to_datetime(rows["day"]).dt.tz_localize("UTC").dt.as_unit("us")
    ids = rows["day"].astype(str) + "/" + rows["person"].astype(str)
    return rows.assign(**{EVENT_TIME: times}).assign(**{ID: ids})


def _changed(drift: Drift | None) -> frozenset[str]:
    """Name the features that a drift changes by itself."""
    if drift is None or drift.kind in {DriftKind.CONCEPT, DriftKind.PRIOR}:
        return frozenset()
    names = [name for name, source in USAGE_OF_CDR.items() if drift.column in {None, source}]
    return frozenset([*map(str, names), *(trailing(name, what) for name in names for what in ("sum", "mean", "std"))])


def _days(first: date, end: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((end - first).days)]
