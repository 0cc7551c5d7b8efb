"""What must hold of a regression whatever the rows are: a chunk is the sum of its parts, and order says nothing."""

import json
from collections.abc import Mapping
from functools import reduce
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftline.engine.outcome import Outcome
from driftline.engine.performance.regression.performance import RegressionPerformance
from driftline.engine.performance.regression.totals import Totals
from driftline.engine.reference import fit_reference
from driftline.engine.results import State
from tests.unit.engine.performance.regression.price_builders import LOOSE, price_rows

LAW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
Found = dict[tuple[str, str], Outcome]
STRAY = st.sampled_from([0.0, -3.0, 1e200, float("nan"), float("inf")])


@pytest.fixture(scope="module")
def fitted() -> RegressionPerformance:
    return RegressionPerformance.fit(price_rows(500), LOOSE)


@st.composite
def chunks(draw: st.DrawFn) -> pd.DataFrame:
    """A chunk of up to 60 rows with strays, unseen categories, and labels and predictions that are missing."""
    rows = price_rows(draw(st.integers(0, 60)), seed=draw(st.integers(0, 99)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    for name in ("age", "prediction", "label"):
        rows[name] = rows[name].mask(rng.random(len(rows)) < draw(st.sampled_from([0, 0.1, 1])), draw(STRAY))
    rows["fuel"] = rows["fuel"].astype(object).mask(rng.random(len(rows)) < 0.2, draw(st.sampled_from(["wood", None])))
    return rows


def _found(fitted: RegressionPerformance, summary: Totals) -> Found:
    return {(kind, method): outcome for kind, method, outcome in fitted.outcomes(summary, LOOSE)}


def _same(one: Mapping[tuple[str, str], Outcome], other: Mapping[tuple[str, str], Outcome]) -> None:
    assert one.keys() == other.keys()
    for key, outcome in one.items():
        again = other[key]
        assert (outcome.rows, outcome.reason, outcome.state) == (again.rows, again.reason, again.state)
        assert outcome.sampling_error == again.sampling_error
        assert outcome.value == (None if again.value is None else pytest.approx(again.value, rel=1e-12, abs=0))


@LAW
@given(chunks(), st.integers(0, 99))
def test_a_chunk_is_the_merge_of_its_parts_in_any_order(
    fitted: RegressionPerformance, rows: pd.DataFrame, seed: int
) -> None:
    part = np.random.default_rng(seed).integers(0, 3, len(rows))
    parts = [fitted.summarize(rows[part == number], LOOSE) for number in range(3)]
    whole = _found(fitted, fitted.summarize(rows, LOOSE))
    for ordered in permutations(parts):
        _same(_found(fitted, reduce(Totals.merge, ordered)), whole)
    _same(_found(fitted, parts[0].merge(parts[1].merge(parts[2]))), whole)


@LAW
@given(chunks(), st.integers(0, 99))
def test_the_order_of_rows_changes_nothing(fitted: RegressionPerformance, rows: pd.DataFrame, seed: int) -> None:
    shuffled = fitted.summarize(rows.sample(frac=1, random_state=seed), LOOSE)
    _same(_found(fitted, shuffled), _found(fitted, fitted.summarize(rows, LOOSE)))


@LAW
@given(chunks())
def test_no_value_is_ever_without_reason_nor_other_than_finite(
    fitted: RegressionPerformance, rows: pd.DataFrame
) -> None:
    for outcome in _found(fitted, fitted.summarize(rows, LOOSE)).values():
        if outcome.value is None:
            assert outcome.reason
            assert outcome.state in {State.INSUFFICIENT, State.PENDING_LABELS}
        numbers = (outcome.value, outcome.sampling_error)
        assert all(type(number) is float and np.isfinite(number) for number in numbers if number is not None)


@LAW
@given(chunks())
def test_a_stored_state_says_the_same(fitted: RegressionPerformance, rows: pd.DataFrame) -> None:
    text = json.dumps(fitted.to_dict(), allow_nan=False)
    stored = RegressionPerformance.from_dict(json.loads(text))
    assert json.dumps(stored.to_dict(), allow_nan=False) == text
    assert _found(stored, stored.summarize(rows, LOOSE)) == _found(fitted, fitted.summarize(rows, LOOSE))


def test_a_reference_does_not_depend_on_the_order_of_its_rows() -> None:
    """Though a loss model does: the reference sorts its rows first."""
    rows = price_rows(300, days=3)
    assert fit_reference(rows.sample(frac=1, random_state=1), LOOSE).to_json() == fit_reference(rows, LOOSE).to_json()


def test_a_model_of_losses_depends_on_the_order_of_the_rows_it_is_given() -> None:
    rows = price_rows(1_000)
    chunk = price_rows(200, seed=1)
    one, other = (RegressionPerformance.fit(r, LOOSE) for r in (rows, rows.sample(frac=1, random_state=1)))
    found, again = (_found(fitted, fitted.summarize(chunk, LOOSE)) for fitted in (one, other))
    assert one.dle.models != other.dle.models
    for key, outcome in found.items():
        assert outcome.value == pytest.approx(again[key].value, rel=0.05)
