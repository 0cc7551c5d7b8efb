"""PCA reconstruction error: by hand, at its edges, and as the sum of its parts."""

import json
from functools import reduce

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.engine.multivariate.pca import Errors, PcaReconstruction
from driftline.engine.results import State
from driftline.engine.spec import ColumnKind, ColumnSpec, Spec

LOOSE = Spec(columns=(ColumnSpec(name="a"), ColumnSpec(name="b")), minimum_rows=2)
WITH_PLAN = LOOSE.model_copy(update={"columns": (*LOOSE.columns, ColumnSpec(name="plan", kind=ColumnKind.CATEGORICAL))})


def _related(rows: int, seed: int = 0, slope: float = 1.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    a = rng.normal(size=rows)
    return pd.DataFrame({"a": a, "b": slope * a + rng.normal(0, 0.1, rows), "plan": rng.choice(["x", "y"], rows)})


@pytest.fixture(scope="module")
def fitted() -> PcaReconstruction:
    return PcaReconstruction.fit(_related(3_000), LOOSE)


def _value(fitted: PcaReconstruction, rows: pd.DataFrame, spec: Spec = LOOSE) -> float:
    value = fitted.outcome(fitted.summarize(rows), spec).value
    assert value is not None
    return value


def test_two_related_features_are_one_component(fitted: PcaReconstruction) -> None:
    assert np.abs(fitted.components) == pytest.approx(np.full((1, 2), np.sqrt(0.5)))
    off_the_line = pd.DataFrame({"a": [1.0, 1.0], "b": [-1.0, -1.0]})
    a, b = fitted.encodings
    apart = abs((1 - a.mean) / a.scale - (-1 - b.mean) / b.scale) / np.sqrt(2)
    assert _value(fitted, off_the_line) == pytest.approx(apart)


def test_a_broken_relation_is_seen_though_each_column_is_as_it_was(fitted: PcaReconstruction) -> None:
    usual, broken = _related(500, seed=1), _related(500, seed=1, slope=-1.0)
    assert _value(fitted, broken) > 10 * _value(fitted, usual)


def test_the_sampling_error_is_the_standard_error_of_the_mean(fitted: PcaReconstruction) -> None:
    many = [_value(fitted, _related(200, seed=seed)) for seed in range(300)]
    error = fitted.outcome(fitted.summarize(_related(200, seed=7)), LOOSE).sampling_error
    assert error == pytest.approx(np.std(many), rel=0.15)


@pytest.mark.parametrize("tiny", [1e-310, 1e-200, 1e-100])
def test_a_feature_that_scatters_next_to_nothing_counts_as_constant(tiny: float) -> None:
    rows = _related(500)
    both = PcaReconstruction.fit(rows.assign(a=rows["a"] * tiny), LOOSE)
    assert [encoding.scale for encoding in both.encodings] == [1.0, pytest.approx(np.std(rows["b"]))]
    assert _value(both, rows.assign(a=1e70)) == pytest.approx(1e70)
    none = PcaReconstruction.fit(rows[["a", "b"]] * tiny, LOOSE)
    assert none.components.shape == (0, 2)


@pytest.mark.parametrize("rows", [0, 1])
def test_few_rows_say_nothing(fitted: PcaReconstruction, rows: int) -> None:
    outcome = fitted.outcome(fitted.summarize(_related(rows)), LOOSE)
    assert (outcome.value, outcome.rows, outcome.state) == (None, rows, State.INSUFFICIENT)
    assert "fewer than the minimum of 2" in (outcome.reason or "")


def test_missing_and_infinite_values_are_the_mean_and_the_most_frequent_category() -> None:
    reference = pd.DataFrame({"a": [1.0, 2.0, 3.0, np.nan], "b": [5.0, 1.0, 2.0, 0.0], "plan": ["x", "x", None, "y"]})
    state = PcaReconstruction.fit(reference, WITH_PLAN)
    plan = state.encodings[2]
    assert plan.shares == {"x": 0.75, "y": 0.25}
    assert plan(pd.Series(["x", None, "y", "new"], dtype=object)).tolist() == pytest.approx(
        ((np.array([0.75, 0.75, 0.25, 0.0]) - plan.mean) / plan.scale).tolist()
    )
    assert state.encodings[0](pd.Series([np.inf, np.nan, 2.0])).tolist() == [0.0, 0.0, 0.0]


def test_of_equally_frequent_categories_the_first_in_the_alphabet_fills() -> None:
    reference = pd.DataFrame({"a": range(5), "b": range(5), "plan": ["y", "x", "y", "x", None]})
    for rows in (reference, reference[::-1]):
        assert PcaReconstruction.fit(rows, WITH_PLAN).encodings[2].shares == {"x": 0.6, "y": 0.4}


def test_a_feature_without_values_in_the_reference_is_left_out(fitted: PcaReconstruction) -> None:
    rows = _related(3_000)
    for nothing in (None, np.nan):
        empty = PcaReconstruction.fit(rows.assign(plan=nothing), WITH_PLAN)
        assert _value(empty, _related(100, seed=2)) == _value(fitted, _related(100, seed=2))
    infinite = PcaReconstruction.fit(rows.assign(a=np.inf), WITH_PLAN)
    assert [encoding.name for encoding in infinite.encodings] == ["b", "plan"]


def test_a_constant_feature_shows_when_it_moves() -> None:
    constant = _related(1_000).assign(plan="x", c=0.1)
    spec = WITH_PLAN.model_copy(update={"columns": (*WITH_PLAN.columns, ColumnSpec(name="c"))})
    state = PcaReconstruction.fit(constant, spec)
    usual = _value(state, _related(200, seed=3).assign(plan="x", c=0.1), spec)
    assert usual == pytest.approx(_value(PcaReconstruction.fit(constant, LOOSE), _related(200, seed=3)), rel=1e-9)
    assert _value(state, _related(200, seed=3).assign(plan="x", c=5.1), spec) > 4.9


def test_nothing_but_constants_is_rebuilt_as_they_were() -> None:
    still = pd.DataFrame({"a": np.full(10, 0.1), "b": np.full(10, 3.0)})
    state = PcaReconstruction.fit(still, LOOSE)
    assert _value(state, still) == 0
    assert _value(state, still.assign(b=7.0)) == 4


def test_one_feature_is_always_rebuilt_whole_and_says_nothing() -> None:
    """NannyML says 0, whatever happens."""
    spec = LOOSE.model_copy(update={"columns": (ColumnSpec(name="a"),)})
    state = PcaReconstruction.fit(_related(100), spec)
    outcome = state.outcome(state.summarize(_related(50).assign(a=1e6)), spec)
    assert outcome.value is None
    assert outcome.reason == "nothing is lost in reconstruction: it takes two or more related features"


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0, 1e3), max_size=60), st.integers(0, 99))
def test_parts_in_any_order_add_up_to_the_whole(errors: list[float], seed: int) -> None:
    values = np.array(errors)
    part = np.random.default_rng(seed).integers(0, 3, len(values))
    parts = [Errors.of(values[part == number]) for number in range(3)]
    whole = Errors.of(values)
    for merged in (
        reduce(Errors.merge, parts),
        reduce(Errors.merge, parts[::-1]),
        parts[0].merge(parts[1].merge(parts[2])),
    ):
        assert merged.rows == whole.rows
        assert merged.mean == pytest.approx(whole.mean, rel=1e-12)
        assert merged.squares == pytest.approx(whole.squares, rel=1e-9, abs=1e-9)


def test_it_comes_back_from_json_as_it_was() -> None:
    for rows in (_related(50), _related(50).assign(a=1.0, b=2.0, plan="x")):
        state = PcaReconstruction.fit(rows, WITH_PLAN)
        back = PcaReconstruction.from_dict(json.loads(json.dumps(state.to_dict(), allow_nan=False)))
        assert back.to_dict() == state.to_dict()
        assert back.summarize(_related(20, seed=5)) == state.summarize(_related(20, seed=5))
