"""Laws of regression performance for any rows: parts merge to the chunk, and order is irrelevant."""

import json
from collections.abc import Mapping
from functools import reduce
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftline.engine.evaluation.reference import fit_reference
from driftline.engine.outcome import Outcome
from driftline.engine.performance.regression.loss_summary import LossSummary
from driftline.engine.performance.regression.performance import RegressionPerformance
from driftline.engine.results import State
from tests.unit.engine.performance.regression.price_builders import LOOSE, price_rows

LAW = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
OutcomeByMetric = dict[tuple[str, str], Outcome]
INVALID = st.sampled_from([0.0, -3.0, 1e200, float("nan"), float("inf")])


@pytest.fixture(scope="module")
def fitted() -> RegressionPerformance:
    return RegressionPerformance.fit(price_rows(500), LOOSE)


@st.composite
def chunks(draw: st.DrawFn) -> pd.DataFrame:
    """Draw a chunk of up to 60 rows with invalid and missing values and unseen categories."""
    rows = price_rows(draw(st.integers(0, 60)), seed=draw(st.integers(0, 99)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    for name in ("age", "prediction", "label"):
        rows[name] = rows[name].mask(rng.random(len(rows)) < draw(st.sampled_from([0, 0.1, 1])), draw(INVALID))
    rows["fuel"] = rows["fuel"].astype(object).mask(rng.random(len(rows)) < 0.2, draw(st.sampled_from(["wood", None])))
    return rows


def _outcomes(fitted: RegressionPerformance, summary: LossSummary) -> OutcomeByMetric:
    return {(kind, method): outcome for kind, method, outcome in fitted.outcomes(summary, LOOSE)}


def _assert_same(actual: Mapping[tuple[str, str], Outcome], expected: Mapping[tuple[str, str], Outcome]) -> None:
    assert actual.keys() == expected.keys()
    for key, outcome in actual.items():
        same = expected[key]
        assert (outcome.rows, outcome.reason, outcome.state) == (same.rows, same.reason, same.state)
        assert outcome.sampling_error == same.sampling_error
        assert outcome.value == (None if same.value is None else pytest.approx(same.value, rel=1e-12, abs=0))


@LAW
@given(chunks(), st.integers(0, 99))
def test_parts_merge_to_the_chunk_in_any_order(fitted: RegressionPerformance, rows: pd.DataFrame, seed: int) -> None:
    part = np.random.default_rng(seed).integers(0, 3, len(rows))
    parts = [fitted.summarize(rows[part == number], LOOSE) for number in range(3)]
    at_once = _outcomes(fitted, fitted.summarize(rows, LOOSE))
    for ordered in permutations(parts):
        _assert_same(_outcomes(fitted, reduce(LossSummary.merge, ordered)), at_once)
    _assert_same(_outcomes(fitted, parts[0].merge(parts[1].merge(parts[2]))), at_once)


@LAW
@given(chunks(), st.integers(0, 99))
def test_the_order_of_rows_is_irrelevant(fitted: RegressionPerformance, rows: pd.DataFrame, seed: int) -> None:
    shuffled = fitted.summarize(rows.sample(frac=1, random_state=seed), LOOSE)
    _assert_same(_outcomes(fitted, shuffled), _outcomes(fitted, fitted.summarize(rows, LOOSE)))


@LAW
@given(chunks())
def test_values_are_finite_or_have_a_reason(fitted: RegressionPerformance, rows: pd.DataFrame) -> None:
    for outcome in _outcomes(fitted, fitted.summarize(rows, LOOSE)).values():
        if outcome.value is None:
            assert outcome.reason
            assert outcome.state in {State.INSUFFICIENT, State.PENDING_LABELS}
        numbers = (outcome.value, outcome.sampling_error)
        assert all(type(number) is float and np.isfinite(number) for number in numbers if number is not None)


@pytest.mark.slow
@LAW
@given(chunks())
def test_a_stored_state_gives_the_same_outcomes(fitted: RegressionPerformance, rows: pd.DataFrame) -> None:
    text = json.dumps(fitted.to_dict(), allow_nan=False)
    stored = RegressionPerformance.from_dict(json.loads(text))
    assert json.dumps(stored.to_dict(), allow_nan=False) == text
    assert _outcomes(stored, stored.summarize(rows, LOOSE)) == _outcomes(fitted, fitted.summarize(rows, LOOSE))


def test_a_reference_does_not_depend_on_the_order_of_its_rows() -> None:
    """A loss model depends on it, but the reference sorts its rows first."""
    rows = price_rows(300, days=3)
    assert fit_reference(rows.sample(frac=1, random_state=1), LOOSE).to_json() == fit_reference(rows, LOOSE).to_json()


@pytest.mark.slow
def test_a_loss_model_depends_on_the_order_of_its_rows() -> None:
    rows = price_rows(1_000)
    chunk = price_rows(200, seed=1)
    first, second = (RegressionPerformance.fit(r, LOOSE) for r in (rows, rows.sample(frac=1, random_state=1)))
    outcomes, others = (_outcomes(fitted, fitted.summarize(chunk, LOOSE)) for fitted in (first, second))
    assert first.dle.models != second.dle.models
    for key, outcome in outcomes.items():
        assert outcome.value == pytest.approx(others[key].value, rel=0.05)
