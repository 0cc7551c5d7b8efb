"""A model can learn the world, and sees what is broken. Features as the churn model's: the day and the last seven."""

from datetime import date, timedelta
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score

from churn.columns import USAGE_OF_CDR, Cdr
from flaskapp.world import NUMBER, Drift, DriftKind, Parameters, World
from tests.unit.flaskapp.world.arrived_labels import arrived_labels

START, SUBSCRIBERS = date(2025, 3, 1), 1000
TRAIN, LATER = (range(6, 36, 3), range(46, 56))
DRIFT_DAY = START + timedelta(days=40)
USAGE = [str(column) for column in USAGE_OF_CDR.values()]
Array = npt.NDArray[np.float64]


def _day(world: World, number: int) -> Array:
    """Return usage by subscriber, no record as no usage."""
    records = world.records_of_day(START + timedelta(days=number))
    usage = np.zeros((SUBSCRIBERS, len(USAGE)))
    usage[records[NUMBER]] = records[USAGE].to_numpy(float)
    return usage


def _rows(world: World, numbers: range) -> tuple[Array, list[Array], list[Array]]:
    """Return the features of all days together, and features and labels by day."""
    usage = {number: _day(world, number) for number in range(numbers.start - 6, numbers.stop)}
    features, labels = [], []
    for number in numbers:
        day = START + timedelta(days=number)
        day_labels = arrived_labels(world, day, day + timedelta(days=3))
        week = np.stack([usage[n] for n in range(number - 6, number + 1)])[:, day_labels[NUMBER]]
        features.append(np.column_stack([week[-1], week.sum(axis=0), week.std(axis=0, ddof=1)]))
        labels.append(day_labels[Cdr.PSEUDO_CHURNED].to_numpy(float))
    return np.concatenate(features), features, labels


@cache
def _model() -> RandomForestClassifier:
    features, _, labels = _rows(World(Parameters(1, START, SUBSCRIBERS)), TRAIN)
    model = RandomForestClassifier(20, min_samples_leaf=40, max_features=0.4, random_state=0)
    return model.fit(features, np.concatenate(labels))


@cache
def _areas(*drifts: Drift) -> Array:
    """Return the model's ROC-AUC by day, once the drift fills the trailing week."""
    _, features, labels = _rows(World(Parameters(1, START, SUBSCRIBERS, drifts)), LATER)
    scores = (_model().predict_proba(day)[:, 1] for day in features)
    return np.array([roc_auc_score(label, score) for label, score in zip(labels, scores, strict=True)])


@pytest.mark.slow
def test_a_forest_learns_the_world() -> None:
    areas = _areas()
    assert 0.80 < areas.mean() < 0.90
    assert areas.std() < 0.03


def test_the_best_possible_auc_is_in_range() -> None:
    world = World(Parameters(1, START, SUBSCRIBERS))
    day = START + timedelta(days=50)
    labels, chances = arrived_labels(world, day, day + timedelta(days=3)), world.chances_of_day(day)
    assert 0.82 < roc_auc_score(labels[Cdr.PSEUDO_CHURNED], chances["chance"]) < 0.92


@pytest.mark.slow
@pytest.mark.parametrize(
    ("drift", "fall"),
    [
        (Drift(DriftKind.UNIT, 60, DRIFT_DAY, Cdr.MOC_DURATION), 0.15),
        (Drift(DriftKind.CONCEPT, 1.0, DRIFT_DAY), 0.3),
    ],
    ids=("unit", "concept"),
)
def test_every_day_shows_the_injected_faults(drift: Drift, fall: float) -> None:
    usual = _areas()
    assert _areas(drift).max() < usual.mean() - fall < usual.min()


@pytest.mark.slow
def test_prior_and_data_volume_do_not_change_the_ranking() -> None:
    harmless = Drift(DriftKind.PRIOR, 0.7, DRIFT_DAY), Drift(DriftKind.COVARIATE, 0.5, DRIFT_DAY, Cdr.DATA_VOLUME)
    assert _areas(*harmless).mean() == pytest.approx(_areas().mean(), abs=0.05)
