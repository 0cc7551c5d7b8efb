"""PCA reconstruction error: computed by hand, edge cases, and merging."""

import json
from functools import reduce

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.engine.catalogue import ColumnKind
from driftline.engine.multivariate.pca import PcaReconstruction, ReconstructionErrors
from driftline.engine.results import State
from driftline.engine.spec import ColumnSpec, Spec

SPEC = Spec(columns=(ColumnSpec(name="a"), ColumnSpec(name="b")), minimum_rows=2)
WITH_PLAN = SPEC.model_copy(update={"columns": (*SPEC.columns, ColumnSpec(name="plan", kind=ColumnKind.CATEGORICAL))})


def _related(rows: int, seed: int = 0, slope: float = 1.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    a = rng.normal(size=rows)
    return pd.DataFrame({"a": a, "b": slope * a + rng.normal(0, 0.1, rows), "plan": rng.choice(["x", "y"], rows)})


@pytest.fixture(scope="module")
def fitted() -> PcaReconstruction:
    return PcaReconstruction.fit(_related(3_000), SPEC)


def _value(fitted: PcaReconstruction, rows: pd.DataFrame, spec: Spec = SPEC) -> float:
    value = fitted.outcome(fitted.summarize(rows), spec).value
    assert value is not None
    return value


def test_two_related_features_are_one_component(fitted: PcaReconstruction) -> None:
    assert np.abs(fitted.components) == pytest.approx(np.full((1, 2), np.sqrt(0.5)))
    off_the_line = pd.DataFrame({"a": [1.0, 1.0], "b": [-1.0, -1.0]})
    a, b = fitted.encodings
    apart = abs((1 - a.mean) / a.scale - (-1 - b.mean) / b.scale) / np.sqrt(2)
    assert _value(fitted, off_the_line) == pytest.approx(apart)


def test_a_broken_relation_is_seen_in_unchanged_columns(fitted: PcaReconstruction) -> None:
    usual, broken = _related(500, seed=1), _related(500, seed=1, slope=-1.0)
    assert _value(fitted, broken) > 10 * _value(fitted, usual)


def test_the_sampling_error_is_the_standard_error_of_the_mean(fitted: PcaReconstruction) -> None:
    many = [_value(fitted, _related(200, seed=seed)) for seed in range(300)]
    error = fitted.outcome(fitted.summarize(_related(200, seed=7)), SPEC).sampling_error
    assert error == pytest.approx(np.std(many), rel=0.15)


@pytest.mark.parametrize("tiny", [1e-310, 1e-200, 1e-100])
def test_a_feature_with_tiny_spread_counts_as_constant(tiny: float) -> None:
    rows = _related(500)
    both = PcaReconstruction.fit(rows.assign(a=rows["a"] * tiny), SPEC)
    assert [encoding.scale for encoding in both.encodings] == [1.0, pytest.approx(np.std(rows["b"]))]
    assert _value(both, rows.assign(a=1e70)) == pytest.approx(1e70)
    none = PcaReconstruction.fit(rows[["a", "b"]] * tiny, SPEC)
    assert none.components.shape == (0, 2)


@pytest.mark.parametrize("rows", [0, 1])
def test_too_few_rows_are_insufficient(fitted: PcaReconstruction, rows: int) -> None:
    outcome = fitted.outcome(fitted.summarize(_related(rows)), SPEC)
    assert (outcome.value, outcome.rows, outcome.state) == (None, rows, State.INSUFFICIENT)
    assert "fewer than the minimum of 2" in (outcome.reason or "")


def test_missing_and_infinite_values_are_filled() -> None:
    reference = pd.DataFrame({"a": [1.0, 2.0, 3.0, np.nan], "b": [5.0, 1.0, 2.0, 0.0], "plan": ["x", "x", None, "y"]})
    state = PcaReconstruction.fit(reference, WITH_PLAN)
    plan = state.encodings[2]
    assert plan.shares == {"x": 0.75, "y": 0.25}
    assert plan(pd.Series(["x", None, "y", "new"], dtype=object)).tolist() == pytest.approx(
        ((np.array([0.75, 0.75, 0.25, 0.0]) - plan.mean) / plan.scale).tolist()
    )
    assert state.encodings[0](pd.Series([np.inf, np.nan, 2.0])).tolist() == [0.0, 0.0, 0.0]


def test_equally_frequent_categories_fill_alphabetically() -> None:
    reference = pd.DataFrame({"a": range(5), "b": range(5), "plan": ["y", "x", "y", "x", None]})
    for rows in (reference, reference[::-1]):
        assert PcaReconstruction.fit(rows, WITH_PLAN).encodings[2].shares == {"x": 0.6, "y": 0.4}


def test_a_feature_without_reference_values_is_ignored(fitted: PcaReconstruction) -> None:
    rows = _related(3_000)
    for missing in (None, np.nan):
        empty = PcaReconstruction.fit(rows.assign(plan=missing), WITH_PLAN)
        assert _value(empty, _related(100, seed=2)) == _value(fitted, _related(100, seed=2))
    infinite = PcaReconstruction.fit(rows.assign(a=np.inf), WITH_PLAN)
    assert [encoding.name for encoding in infinite.encodings] == ["b", "plan"]


def test_a_constant_feature_that_moves_is_seen() -> None:
    constant = _related(1_000).assign(plan="x", c=0.1)
    spec = WITH_PLAN.model_copy(update={"columns": (*WITH_PLAN.columns, ColumnSpec(name="c"))})
    state = PcaReconstruction.fit(constant, spec)
    usual = _value(state, _related(200, seed=3).assign(plan="x", c=0.1), spec)
    assert usual == pytest.approx(_value(PcaReconstruction.fit(constant, SPEC), _related(200, seed=3)), rel=1e-9)
    assert _value(state, _related(200, seed=3).assign(plan="x", c=5.1), spec) > 4.9


def test_constant_features_are_reconstructed_exactly() -> None:
    constant = pd.DataFrame({"a": np.full(10, 0.1), "b": np.full(10, 3.0)})
    state = PcaReconstruction.fit(constant, SPEC)
    assert _value(state, constant) == 0
    assert _value(state, constant.assign(b=7.0)) == 4


def test_a_single_feature_has_no_value() -> None:
    """NannyML always returns 0."""
    spec = SPEC.model_copy(update={"columns": (ColumnSpec(name="a"),)})
    state = PcaReconstruction.fit(_related(100), spec)
    outcome = state.outcome(state.summarize(_related(50).assign(a=1e6)), spec)
    assert outcome.value is None
    assert outcome.reason == "the components span all features and lose nothing; watch at least two related features"


@given(st.lists(st.floats(0, 1e3), max_size=60), st.integers(0, 99))
def test_parts_merge_in_any_order(errors: list[float], seed: int) -> None:
    values = np.array(errors)
    part = np.random.default_rng(seed).integers(0, 3, len(values))
    parts = [ReconstructionErrors.of(values[part == number]) for number in range(3)]
    at_once = ReconstructionErrors.of(values)
    for merged in (
        reduce(ReconstructionErrors.merge, parts),
        reduce(ReconstructionErrors.merge, parts[::-1]),
        parts[0].merge(parts[1].merge(parts[2])),
    ):
        assert merged.rows == at_once.rows
        assert merged.mean == pytest.approx(at_once.mean, rel=1e-12)
        assert merged.squared_deviations == pytest.approx(at_once.squared_deviations, rel=1e-9, abs=1e-9)


def test_the_state_survives_json() -> None:
    for rows in (_related(50), _related(50).assign(a=1.0, b=2.0, plan="x")):
        state = PcaReconstruction.fit(rows, WITH_PLAN)
        restored = PcaReconstruction.from_dict(json.loads(json.dumps(state.to_dict(), allow_nan=False)))
        assert restored.to_dict() == state.to_dict()
        assert restored.summarize(_related(20, seed=5)) == state.summarize(_related(20, seed=5))
