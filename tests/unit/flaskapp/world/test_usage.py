from datetime import date

import numpy as np
import pytest
from scipy import stats

from churn.columns import CDR_USAGE, Cdr
from flaskapp.world.calibration import customers
from flaskapp.world.media import Medium
from flaskapp.world.population import populate
from flaskapp.world.usage import Levels, poisson, usage_of_day

MONDAY = date(2025, 3, 3).toordinal()
PEOPLE = populate(11, 2000)


def test_a_month_follows_the_customers() -> None:
    days = [usage_of_day(PEOPLE, MONDAY + n, Levels()).calls() for n in range(28)]
    assert np.mean(days, axis=(0, 1)) == pytest.approx(customers().usage().mean(axis=0), rel=0.06)


def test_the_week_has_a_rhythm() -> None:
    calls = [usage_of_day(PEOPLE, MONDAY + n, Levels()).columns[Cdr.MTC_COUNT].mean() for n in range(7)]
    assert calls[4] > calls[0] > calls[5] > calls[6]


def test_some_have_no_usage_and_every_call_has_a_duration() -> None:
    usage = usage_of_day(PEOPLE, MONDAY, Levels())
    assert 0.02 < 1.0 - usage.has_record.mean() < 0.10
    for count, amount in ((Cdr.MOC_COUNT, Cdr.MOC_DURATION), (Cdr.DATA_COUNT, Cdr.DATA_VOLUME)):
        assert ((usage.columns[count] == 0) == (usage.columns[amount] == 0)).all()
        assert (usage.columns[amount] >= usage.columns[count]).all()


@pytest.mark.parametrize("column", CDR_USAGE)
def test_a_level_changes_only_its_medium(column: Cdr) -> None:
    usual = usage_of_day(PEOPLE, MONDAY, Levels()).columns
    after = usage_of_day(PEOPLE, MONDAY, Levels({column: 1.5})).columns
    moved = {name for name in CDR_USAGE if (usual[name] != after[name]).any()}
    amount_of = {
        Cdr.MOC_COUNT: Cdr.MOC_DURATION,
        Cdr.MTC_COUNT: Cdr.MTC_DURATION,
        Cdr.DATA_COUNT: Cdr.DATA_VOLUME,
    }
    assert moved == {column, amount_of.get(column, column)}
    assert after[column].sum() / usual[column].sum() == pytest.approx(1.5, abs=0.1)


def test_a_level_changes_usage_in_one_direction() -> None:
    less, more = (usage_of_day(PEOPLE, MONDAY, Levels({Cdr.MTSMS_COUNT: f})).columns for f in (0.5, 2.0))
    assert (more[Cdr.MTSMS_COUNT] >= less[Cdr.MTSMS_COUNT]).all()


def test_some_media_have_the_usage_that_they_have_among_all() -> None:
    every = usage_of_day(PEOPLE, MONDAY, Levels()).columns
    some = usage_of_day(PEOPLE, MONDAY, Levels(), (Medium.DATA, Medium.IN_CALLS)).columns
    assert {*some} == {Cdr.DATA_COUNT, Cdr.DATA_VOLUME, Cdr.MTC_COUNT, Cdr.MTC_DURATION}
    assert all((some[column] == every[column]).all() for column in some)


def test_inversion_is_the_poisson_quantile() -> None:
    draw = np.random.default_rng(0)
    rate, chance = draw.uniform(0.0, 49.9, 5000), draw.random(5000)
    assert (poisson(rate, chance) == stats.poisson.ppf(chance, rate)).all()


def test_many_events_follow_the_normal_approximation() -> None:
    chance = np.linspace(0.0005, 0.9995, 1000)
    counts = poisson(np.full(1000, 400.0), chance)
    assert counts.mean() == pytest.approx(400.0, abs=0.5)
    assert counts.std() == pytest.approx(20.0, abs=0.5)
    assert poisson(np.array([1e5]), np.array([0.0])) == 0


def test_media_number_their_rows() -> None:
    assert [medium.value.number for medium in Medium] == list(range(len(Medium)))
