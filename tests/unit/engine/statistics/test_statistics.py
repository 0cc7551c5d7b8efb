"""Summary statistics of a chunk: which there are, what they are of, and when they are not said."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import gaussian_kde

from driftline.engine.evaluation.evaluate import evaluate_chunk, finish_chunk, summarize_chunk
from driftline.engine.evaluation.reference import FittedReference, fit_reference
from driftline.engine.results import Quality, Result, ResultKind, State, Statistic
from driftline.engine.statistics.column_spread import ColumnSpread
from driftline.errors import InvalidInput
from tests.unit.engine.frame_builders import SPEC, scored_rows

ALL = SPEC.model_copy(update={"statistics": tuple(Statistic), "quality": tuple(Quality), "minimum_rows": 2})
STRAY = st.sampled_from([0.0, -3.0, 1e6, float("nan"), float("inf")])


@pytest.fixture(scope="module")
def fitted() -> FittedReference:
    return fit_reference(scored_rows(1_200, days=12), ALL)


def _statistics(results: tuple[Result, ...]) -> dict[tuple[str, str], Result]:
    return {(r.subject, r.method): r for r in results if r.kind is ResultKind.STATISTIC}


def test_every_continuous_column_and_score_has_each_statistic(fitted: FittedReference) -> None:
    by_method = _statistics(evaluate_chunk(fitted, ALL, scored_rows(100, seed=1)))
    quantiles = [f"quantiles:{share}" for share in (0.05, 0.25, 0.75, 0.95)]
    each = ["mean", "sum", "standard_deviation", "median", *quantiles]
    assert list(by_method) == [(column, method) for column in ("usage", "calls", "probability_1") for method in each]
    assert all(result.sampling_error is not None and result.bounds.lower is not None for result in by_method.values())


def test_missing_and_infinite_values_are_left_out(fitted: FittedReference) -> None:
    rows = scored_rows(100, seed=1).assign(calls=[*range(98), np.nan, np.inf])
    by_method = _statistics(evaluate_chunk(fitted, ALL, rows))
    assert by_method["calls", "mean"].value == pytest.approx(48.5)
    assert by_method["calls", "sum"].value == 98 * 97 / 2
    assert by_method["calls", "standard_deviation"].value == pytest.approx(float(np.std(range(98), ddof=1)))
    assert by_method["calls", "median"].value == 48.5
    assert by_method["calls", "quantiles:0.25"].value == 24.25
    assert by_method["calls", "mean"].rows == 98
    assert by_method["calls", "mean"].state is State.WARN


def test_few_values_say_nothing(fitted: FittedReference) -> None:
    by_method = _statistics(evaluate_chunk(fitted, ALL, scored_rows(50, seed=1).assign(calls=np.nan)))
    for (column, _), result in by_method.items():
        assert (result.value is None) == (column == "calls")
    assert by_method["calls", "sum"].reason == "0 values that are not missing, fewer than the minimum of 2"


@pytest.mark.parametrize(("value", "rows"), [(1e70, 50), (-1e70, 50), (1e308, 0)])
def test_values_that_are_not_infinite_can_be_added_up(value: float, rows: int) -> None:
    only = ALL.model_copy(update={"continuous_methods": ()})
    fitted = fit_reference(scored_rows(1_200, days=12), only)
    by_method = _statistics(evaluate_chunk(fitted, only, scored_rows(50, seed=1).assign(calls=value)))
    assert by_method["calls", "sum"].rows == rows
    assert by_method["calls", "sum"].value == (pytest.approx(50 * value) if rows else None)
    assert by_method["calls", "median"].value == (value if rows else None)


def test_the_error_of_a_quantile_is_that_of_scipys_density() -> None:
    values = np.sort(np.random.default_rng(0).gamma(2, 50, 2_000))
    spread = ColumnSpread.of(values, (0.25, 0.5))
    density = gaussian_kde(values).evaluate(np.quantile(values, 0.25))[0]
    assert spread.quantile_error(0.25, 400) == pytest.approx(np.sqrt(0.25 * 0.75 / 400) / density, rel=1e-12)


def test_quantiles_scatter_as_their_error_says() -> None:
    rng = np.random.default_rng(1)
    spread = ColumnSpread.of(np.sort(rng.normal(size=20_000)), (0.25,))
    drawn = [np.quantile(rng.normal(size=400), 0.25) for _ in range(500)]
    assert spread.quantile_error(0.25, 400) == pytest.approx(np.std(drawn), rel=0.15)


@pytest.mark.parametrize("values", [[], [7.0], [7.0, 7.0, 7.0], [1e200, 2e200]])
def test_a_reference_that_says_little_of_its_spread(values: list[float]) -> None:
    spread = ColumnSpread.of(np.array(values), (0.5,))
    assert ColumnSpread.from_dict(spread.to_dict()) == spread
    errors = [spread.mean_error(9), spread.sum_error(9), spread.deviation_error(9), spread.quantile_error(0.5, 9)]
    assert errors == ([0.0, 0.0, None, 0.0] if len(values) == 3 else [None] * 4)


def test_a_reference_fitted_without_statistics_is_refused(fitted: FittedReference) -> None:
    plain = fit_reference(scored_rows(1_200, days=12), SPEC)
    with pytest.raises(InvalidInput, match=r"usage statistics, .*fit it again under this spec"):
        evaluate_chunk(plain, ALL, scored_rows(100))
    fewer = ALL.model_copy(update={"statistics": (Statistic.MEAN,)})
    only_mean = fit_reference(scored_rows(1_200, days=12), fewer)
    with pytest.raises(InvalidInput, match="not fitted for usage statistic sum"):
        evaluate_chunk(only_mean, ALL, scored_rows(100))


@st.composite
def chunks(draw: st.DrawFn) -> pd.DataFrame:
    rows = scored_rows(draw(st.integers(0, 60)), seed=draw(st.integers(0, 99)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    rows["usage"] = rows["usage"].mask(rng.random(len(rows)) < 0.3, draw(STRAY))
    rows["plan"] = rows["plan"].astype(object).mask(rng.random(len(rows)) < 0.2, draw(st.sampled_from(["new", None])))
    rows["id"] = rows["id"].where(rng.random(len(rows)) < 0.7, 0)
    return rows


LAW = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def _same(first: tuple[Result, ...], second: tuple[Result, ...]) -> None:
    """Equal to 1e-12 where floats are added up (sums, and performance), and exactly elsewhere."""
    for a, b in zip(first, second, strict=True):
        assert (a.subject, a.kind, a.method, a.rows, a.reason) == (b.subject, b.kind, b.method, b.rows, b.reason)
        exact = a.kind is ResultKind.QUALITY or a.method == "median"
        close = b.value if exact or b.value is None else pytest.approx(b.value, rel=1e-12, abs=1e-12)
        assert a.value == close, (a, b)


@pytest.mark.slow
@LAW
@given(chunks(), st.integers(0, 99))
def test_a_chunk_is_the_merge_of_its_parts_in_any_order(fitted: FittedReference, rows: pd.DataFrame, seed: int) -> None:
    part = np.random.default_rng(seed).integers(0, 3, len(rows))
    parts = [summarize_chunk(fitted, ALL, rows[part == number]) for number in range(3)]
    at_once = evaluate_chunk(fitted, ALL, rows.sample(frac=1, random_state=seed))
    for first, two, three in permutations(parts):
        _same(finish_chunk(fitted, ALL, first.merge(two).merge(three)), at_once)
    _same(finish_chunk(fitted, ALL, parts[0].merge(parts[1].merge(parts[2]))), at_once)


@pytest.mark.slow
@LAW
@given(chunks())
def test_a_stored_reference_says_the_same(fitted: FittedReference, rows: pd.DataFrame) -> None:
    stored = FittedReference.from_json(fitted.to_json())
    assert stored.to_json() == fitted.to_json()
    assert evaluate_chunk(stored, ALL, rows) == evaluate_chunk(fitted, ALL, rows)
