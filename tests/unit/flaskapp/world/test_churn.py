import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskapp.world.churn import Risk, chances, solve_intercept


@given(seed=st.integers(0, 1000), slope=st.floats(-1.0, 1.0), intercept=st.floats(-5.0, 2.0))
def test_concept_keeps_the_prevalence(seed: int, slope: float, intercept: float) -> None:
    usage, plan = np.random.default_rng(seed).normal(0.0, 2.0, (2, 300))
    without_drift = chances(usage, plan, intercept, Risk())
    after = chances(usage, plan, intercept, Risk(slope))
    assert after.mean() == pytest.approx(without_drift.mean(), abs=1e-8)


def test_concept_half_removes_and_full_reverses_the_relation() -> None:
    usage, plan = np.linspace(-3.0, 3.0, 101), np.zeros(101)
    assert np.ptp(chances(usage, plan, -2.0, Risk(0.0))) == 0.0
    assert (np.diff(chances(usage, plan, -2.0, Risk(-1.0))) < 0).all()


def test_prior_shifts_every_logit_equally() -> None:
    usage, plan = np.linspace(-3.0, 3.0, 101), np.zeros(101)
    without_drift, shifted = (chances(usage, plan, -2.0, Risk(shift=shift)) for shift in (0.0, 0.7))
    assert np.log(shifted / (1 - shifted)) - np.log(without_drift / (1 - without_drift)) == pytest.approx(0.7)


def test_no_subscribers_are_no_error() -> None:
    assert len(chances(np.zeros(0), np.zeros(0), -2.0, Risk(-1.0))) == 0


@pytest.mark.parametrize("subscribers", [1, 2, 10])
def test_the_smallest_worlds_have_an_intercept(subscribers: int) -> None:
    assert np.isfinite(solve_intercept(1, subscribers))
