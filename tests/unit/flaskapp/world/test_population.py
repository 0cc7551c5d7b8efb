import numpy as np
import pytest

from flaskapp.world.calibration import customers
from flaskapp.world.media import Medium
from flaskapp.world.population import populate


def test_one_seed_is_one_population_and_another_seed_another() -> None:
    people, again, others_people = populate(1, 500), populate(1, 500), populate(2, 500)
    assert (people.msisdn == again.msisdn).all()
    assert (people.plan_logit == again.plan_logit).all()
    assert not (people.msisdn == others_people.msisdn).any()


@pytest.mark.parametrize("seed", range(5))
def test_numbers_are_distinct_and_of_no_country(seed: int) -> None:
    numbers = populate(seed, 20_000).msisdn
    assert len(set(numbers)) == 20_000
    assert all(len(number) == 12 and number.startswith("999") and number.isdigit() for number in numbers)


def test_calls_are_those_of_customers() -> None:
    people, table = populate(3, 200), customers()
    out = people.habits[Medium.OUT_CALLS]
    pairs = set(zip(table.out_calls.round(6), table.out_seconds.round(6), strict=True))
    assert set(zip(out.rate.round(6), (out.rate * out.mean).round(6), strict=True)) <= pairs


def test_heavy_callers_talk_more_and_data_is_skewed() -> None:
    people = populate(4, 2000)
    usual, heavy = people.habits[Medium.OUT_CALLS], people.heavy[Medium.OUT_CALLS]
    assert (heavy.rate * heavy.mean).mean() > 1.15 * (usual.rate * usual.mean).mean()
    volume = people.habits[Medium.DATA].rate * people.habits[Medium.DATA].mean
    assert (volume == 0).mean() == pytest.approx(0.2, abs=0.04)
    assert volume.mean() > 1.5 * np.median(volume)
