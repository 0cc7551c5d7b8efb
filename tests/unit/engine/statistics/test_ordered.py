"""Medians and quantiles: exact for as many distinct values as are kept, and within what is stated beyond."""

from functools import reduce
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.engine.frames.columns import FloatArray
from driftline.engine.statistics import ordered
from driftline.engine.statistics.ordered import Ordered

NUMBERS = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=80)
SHARES = st.floats(0, 1)


def _of(values: "list[float] | FloatArray") -> Ordered:
    return Ordered.of(np.sort(np.array(values, dtype=float)))


def _state(of: Ordered) -> tuple[int, list[int], list[int]]:
    return of.dropped, of.groups.tolist(), of.counts.tolist()


@given(st.lists(st.floats(-1e150, 1e150), min_size=1, max_size=80), SHARES)
def test_few_values_have_exact_quantiles(values: list[float], share: float) -> None:
    estimate, off_by = _of(values).quantile(share)
    assert off_by == 0.0
    rounding = max(1e-12 * float(np.ptp(values)), 1e-300)  # of the difference between neighbors
    assert estimate == pytest.approx(float(np.quantile(values, share)), rel=1e-12, abs=rounding)
    assert _of(values).quantile(0.5)[0] == pytest.approx(float(pd.Series(values).median()), rel=1e-12, abs=rounding)


@pytest.fixture
def few_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordered, "MAXIMUM_GROUPS", 12)


@given(values=NUMBERS, share=SHARES)
@pytest.mark.usefixtures("few_groups")
def test_many_values_have_quantiles_as_close_as_is_said(values: list[float], share: float) -> None:
    estimate, off_by = _of(values).quantile(share)
    with np.errstate(over="ignore"):
        ranks = share * (len(values) - 1)
        below, above = np.sort(values)[[int(ranks), min(int(ranks) + 1, len(values) - 1)]]
    exact = below + (above - below) * (ranks - int(ranks)) if np.isfinite(above - below) else None
    assert len(_of(values).groups) <= 12
    if exact is not None and np.isfinite(estimate):
        assert abs(estimate - exact) <= off_by * (1 + 1e-9) + 1e-12 * max(abs(below), abs(above))


@given(values=NUMBERS, parts=st.lists(st.integers(0, 2), min_size=80, max_size=80))
@pytest.mark.usefixtures("few_groups")
def test_parts_merge_exactly_in_any_order(values: list[float], parts: list[int]) -> None:
    at_once = _state(_of(values))
    cut = [_of([value for value, number in zip(values, parts, strict=False) if number == part]) for part in range(3)]
    for order in permutations(cut):
        assert _state(reduce(Ordered.merge, order)) == at_once
    assert _state(cut[0].merge(cut[1].merge(cut[2]))) == at_once


def test_a_long_column_stays_bounded_and_close() -> None:
    values = np.sort(np.random.default_rng(0).gamma(2, 50, 300_000))
    long = Ordered.of(values)
    assert len(long.groups) <= 100_000
    octaves = np.log2(values[-1] / values[0])
    for share in (0.05, 0.25, 0.5, 0.75, 0.95):
        estimate, off_by = long.quantile(share)
        exact = float(np.quantile(values, share))
        assert 0 < off_by <= 2 * octaves / 100_000 * exact
        assert abs(estimate - exact) <= off_by


def test_values_on_both_sides_of_0_keep_their_order() -> None:
    values = [-3.0, -0.0, 0.0, 1e-310, -1e-310, 2.0, -3.0]
    assert _of(values).quantile(0.0)[0] == -3.0
    assert _of(values).quantile(1.0)[0] == 2.0
    assert _of([-0.0, 0.0]).counts.tolist() == [2]
