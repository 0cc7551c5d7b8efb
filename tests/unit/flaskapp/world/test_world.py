import hashlib
from datetime import date, timedelta
from functools import cache

import numpy as np
import pandas as pd
import pytest

from churn.columns import CDR_USAGE, Cdr
from driftline.errors import InvalidInput
from driftline.store import bulk
from flaskapp.world import KNOWN_AT, LABEL_COLUMNS, NUMBER, RECORD_COLUMNS, Drift, DriftKind, Parameters, World
from tests.unit.flaskapp.world.arrived_labels import arrived_labels

START = date(2025, 3, 1)
USAGE = [str(column) for column in CDR_USAGE]
DRIFT_DAY = START + timedelta(days=9)
AFTER = [DRIFT_DAY + timedelta(days=n) for n in range(3)]


def day(number: int) -> date:
    return START + timedelta(days=number)


@cache
def world(*drifts: Drift, seed: int = 1, subscribers: int = 400) -> World:
    return World(Parameters(seed, START, subscribers, drifts))


def _bytes(frame: pd.DataFrame) -> bytes:
    return bulk.encode(frame, list(frame.columns))


def _labels(of: World, when: date) -> pd.DataFrame:
    return arrived_labels(of, when, when + timedelta(days=3))


def test_the_same_parameters_give_the_same_bytes() -> None:
    first, again = World(Parameters(1, START, 100)), World(Parameters(1, START, 100))
    assert _bytes(first.records_of_day(day(5))) == _bytes(again.records_of_day(day(5)))
    assert _bytes(first.records_of_day(day(5))) != _bytes(world(seed=2, subscribers=100).records_of_day(day(5)))


def test_order_does_not_matter() -> None:
    forth, back = World(Parameters(3, START, 100)), World(Parameters(3, START, 100))
    days = [day(n) for n in range(12)]
    in_order = {d: (_bytes(forth.records_of_day(d, day(11))), _bytes(forth.labels_known_on(d))) for d in days}
    reversed_order = {
        d: (_bytes(back.records_of_day(d, day(11))), _bytes(back.labels_known_on(d))) for d in reversed(days)
    }
    assert in_order == reversed_order


def test_history_and_stream_are_one_world() -> None:
    drift = Drift(DriftKind.UNIT, 60, day(15), Cdr.MOC_DURATION)
    history, stream = world(), World(Parameters(1, day(10), 400, (drift,)))
    pd.testing.assert_frame_equal(history.records_of_day(day(12)), stream.records_of_day(day(12)))
    pd.testing.assert_frame_equal(
        history.labels_known_on(day(10)), stream.labels_known_on(day(10), since=START), check_exact=True
    )
    assert stream.labels_known_on(day(10)).empty
    with pytest.raises(InvalidInput, match="start on 2025-03-11"):
        stream.records_of_day(day(9))


def test_the_shape_of_records() -> None:
    records = world().records_of_day(START)
    assert tuple(records.columns) == RECORD_COLUMNS
    assert (records[Cdr.DATE].dt.date == START).all()
    assert (records[USAGE].dtypes == "Int64").all()
    assert records[[NUMBER, Cdr.MSISDN]].nunique().tolist() == [len(records)] * 2
    assert records[USAGE].notna().all(axis=None)
    assert records[USAGE].sum(axis=1).gt(0).all()
    assert records[Cdr.PSEUDO_CHURNED].isna().all()


def test_every_record_gets_one_label_in_time() -> None:
    labels = pd.concat([world().labels_known_on(day(n)) for n in range(8)], ignore_index=True)
    assert tuple(labels.columns) == LABEL_COLUMNS
    for n in range(5):
        labels_of_day = labels[labels[Cdr.DATE].dt.date == day(n)]
        assert sorted(labels_of_day[NUMBER]) == world().records_of_day(day(n))[NUMBER].tolist()
    delay = (labels[KNOWN_AT].dt.normalize() - labels[Cdr.DATE].dt.normalize()).dt.days
    assert set(delay[labels[Cdr.PSEUDO_CHURNED] == 1]) == {1, 2, 3}
    assert set(delay[labels[Cdr.PSEUDO_CHURNED] == 0]) == {3}
    assert (labels[KNOWN_AT] + pd.Timedelta(1, "us") == labels[KNOWN_AT].dt.ceil("D")).all()


@pytest.mark.parametrize("later", range(6))
def test_records_show_the_labels_known_by_then(later: int) -> None:
    as_of = START + timedelta(days=later)
    filled = world().records_of_day(START, as_of).dropna(subset=[Cdr.PSEUDO_CHURNED])
    labels = arrived_labels(world(), START, as_of)
    assert filled[NUMBER].tolist() == labels[NUMBER].tolist()
    assert filled[Cdr.PSEUDO_CHURNED].tolist() == labels[Cdr.PSEUDO_CHURNED].tolist()


def test_labels_follow_the_label_delay() -> None:
    slow = World(Parameters(1, START, 400, label_delay=7))
    labels = pd.concat([slow.labels_known_on(day(n)) for n in range(8)])
    first_day = labels[labels[Cdr.DATE].dt.date == START]
    delay = first_day[KNOWN_AT].dt.normalize() - pd.Timestamp(START, tz="UTC")
    assert set(delay[first_day[Cdr.PSEUDO_CHURNED] == 1].dt.days) <= set(range(1, 8))
    assert len(first_day) == len(slow.records_of_day(START))


@pytest.mark.parametrize("seed", range(4))
def test_prevalence(seed: int) -> None:
    first_day = World(Parameters(seed, START, 1000))
    days = [first_day.chances_of_day(day(n))["chance"].mean() for n in (0, 10, 20)]
    assert np.mean(days) == pytest.approx(0.14, abs=0.012)
    labels = _labels(first_day, day(20))[Cdr.PSEUDO_CHURNED]
    assert labels.mean() == pytest.approx(days[-1], abs=4 * np.sqrt(0.14 * 0.86 / 1000))


RECORDED = [
    Drift(DriftKind.MISSING, 0.4, DRIFT_DAY, Cdr.DATA_VOLUME),
    Drift(DriftKind.MISSING, 0.4, DRIFT_DAY),
    Drift(DriftKind.UNIT, 60, DRIFT_DAY, Cdr.MOC_DURATION),
]
CHANCE = [
    Drift(DriftKind.CONCEPT, 1.0, DRIFT_DAY),
    Drift(DriftKind.CONCEPT, 0.3, DRIFT_DAY),
    Drift(DriftKind.PRIOR, 1.0, DRIFT_DAY),
]
TRUE = [
    Drift(DriftKind.COVARIATE, 0.5, DRIFT_DAY),
    Drift(DriftKind.COVARIATE, -0.5, DRIFT_DAY, Cdr.MOC_DURATION),
    Drift(DriftKind.MIX, 0.5, DRIFT_DAY),
]


def _name(drift: Drift) -> str:
    return f"{drift.kind}-{drift.size:g}-{drift.column}"


@pytest.mark.parametrize("drift", [*RECORDED, *CHANCE, *TRUE], ids=_name)
def test_nothing_changes_before_the_drift_and_something_after(drift: Drift) -> None:
    for n in (0, 6, 8):
        assert _bytes(world(drift).records_of_day(day(n), day(8))) == _bytes(world().records_of_day(day(n), day(8)))
    records = [w.records_of_day(AFTER[0], AFTER[0] + timedelta(days=3)) for w in (world(drift), world())]
    assert _bytes(records[0]) != _bytes(records[1])


@pytest.mark.parametrize("drift", RECORDED, ids=_name)
def test_recording_drift_keeps_true_usage(drift: Drift) -> None:
    touched = {str(column) for column in CDR_USAGE if drift.touches(column)}
    for when in AFTER:
        assert _bytes(_labels(world(drift), when)) == _bytes(_labels(world(), when))
        pd.testing.assert_frame_equal(world(drift).chances_of_day(when), world().chances_of_day(when))
        before, after = world().records_of_day(when), world(drift).records_of_day(when)
        assert {name for name in RECORD_COLUMNS if not before[name].equals(after[name])} == touched


def test_missing_removes_its_share_and_no_other_value() -> None:
    before, after = world().records_of_day(AFTER[0]), world(RECORDED[1]).records_of_day(AFTER[0])
    assert after[USAGE].isna().mean().tolist() == pytest.approx([0.4] * 8, abs=0.1)
    assert (after[USAGE].isna() | (after[USAGE] == before[USAGE])).all(axis=None)
    assert not after[USAGE[0]].isna().equals(after[USAGE[1]].isna())


def test_a_unit_drift_scales_values() -> None:
    before, after = world().records_of_day(AFTER[0]), world(RECORDED[2]).records_of_day(AFTER[0])
    seconds = before[Cdr.MOC_DURATION].to_numpy(float)
    assert np.abs(after[Cdr.MOC_DURATION].to_numpy(float) - seconds / 60).max() <= 0.5


@pytest.mark.parametrize("drift", CHANCE, ids=_name)
def test_concept_and_prior_do_not_change_usage(drift: Drift) -> None:
    for when in AFTER:
        assert _bytes(world(drift).records_of_day(when)) == _bytes(world().records_of_day(when))


@pytest.mark.parametrize("drift", CHANCE[:2], ids=_name)
def test_concept_keeps_the_prevalence_and_flips_the_relation(drift: Drift) -> None:
    before, after = world().chances_of_day(AFTER[0]), world(drift).chances_of_day(AFTER[0])
    assert after["chance"].mean() == pytest.approx(before["chance"].mean(), abs=1e-8)
    assert after["chance"].corr(before["chance"]) < 0.95


def test_prior_raises_every_chance() -> None:
    before, after = (w.chances_of_day(AFTER[0])["chance"].to_numpy() for w in (world(), world(CHANCE[2])))
    assert np.log(after / (1 - after)) == pytest.approx(np.log(before / (1 - before)) + 1.0)
    assert set(_labels(world(), AFTER[0]).query("PSEUDO_CHURNED == 1")[NUMBER]) < set(
        _labels(world(CHANCE[2]), AFTER[0]).query("PSEUDO_CHURNED == 1")[NUMBER]
    )


def test_covariate_changes_the_chance_through_usage_only() -> None:
    drifted = world(Drift(DriftKind.COVARIATE, 0.5, DRIFT_DAY, Cdr.DATA_VOLUME))
    for when in AFTER:
        volume = [w.records_of_day(when)[Cdr.DATA_VOLUME].sum() for w in (world(), drifted)]
        assert volume[1] / volume[0] == pytest.approx(1.5, abs=0.01)
        pd.testing.assert_frame_equal(drifted.chances_of_day(when), world().chances_of_day(when))
    assert drifted.intercept == world().intercept


def test_a_mix_replaces_only_its_share() -> None:
    before, after = world().records_of_day(AFTER[0]), world(TRUE[2]).records_of_day(AFTER[0])
    both = before.merge(after, on=NUMBER, suffixes=("", "_after"))
    same = (both[Cdr.MTC_DURATION] == both[f"{Cdr.MTC_DURATION}_after"]).mean()
    assert same == pytest.approx(0.5, abs=0.1)
    assert after[Cdr.MOC_DURATION].mean() > before[Cdr.MOC_DURATION].mean()
    assert (both[Cdr.DATA_VOLUME] == both[f"{Cdr.DATA_VOLUME}_after"]).all()


def test_drifts_combine_and_end() -> None:
    twice = world(
        Drift(DriftKind.UNIT, 60, DRIFT_DAY, Cdr.MOC_DURATION, until=DRIFT_DAY),
        Drift(DriftKind.PRIOR, 1.0, DRIFT_DAY, until=DRIFT_DAY),
        Drift(DriftKind.PRIOR, -1.0, DRIFT_DAY, until=DRIFT_DAY),
    )
    assert _bytes(_labels(twice, AFTER[0])) == _bytes(_labels(world(), AFTER[0]))
    pd.testing.assert_frame_equal(twice.records_of_day(AFTER[0]), world(RECORDED[2]).records_of_day(AFTER[0]))
    pd.testing.assert_frame_equal(twice.records_of_day(AFTER[1]), world().records_of_day(AFTER[1]))


def test_the_truth_names_each_drift() -> None:
    ended = Drift(DriftKind.MIX, 0.5, DRIFT_DAY, until=AFTER[2])
    rows = world(RECORDED[2], ended).truth().to_dict("records")
    assert rows == [
        {
            "position": 0,
            "kind": "unit",
            "affected_column": "DP_MOC_DURATION",
            "size": 60.0,
            "first_day": DRIFT_DAY,
            "last_day": None,
        },
        {
            "position": 1,
            "kind": "mix",
            "affected_column": None,
            "size": 0.5,
            "first_day": DRIFT_DAY,
            "last_day": AFTER[2],
        },
    ]
    assert world().truth().empty


def test_the_bytes_are_the_same_in_every_version() -> None:
    """A stream that was begun must go on as it began: if this hash changes, every seed means another world."""
    content = _bytes(World(Parameters(7, START, 50)).records_of_day(START, day(3)))
    assert hashlib.sha256(content).hexdigest() == "a92ab2f4e5a0e170bab75f718076cf20406a910496d2be62ab2d584c4455c5c8"
