"""Isotonic regression equals that of scipy, which is exact and uses another algorithm."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import isotonic_regression
from sklearn.isotonic import IsotonicRegression

from driftline.engine.frames.columns import FloatArray
from driftline.engine.performance.isotonic import SortedRows, knots


def expected(scores: list[float], labels: list[int]) -> FloatArray:
    """Return scipy's value at each distinct score."""
    positions = np.unique(scores, return_inverse=True)[1]
    counts = np.bincount(positions)
    means = np.bincount(positions, weights=labels) / counts
    values: FloatArray = isotonic_regression(means, weights=counts.astype(float)).x
    return values


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 1)), min_size=1, max_size=80))
def test_the_curve_equals_scipys(rows: list[tuple[int, int]]) -> None:
    rows = sorted(rows)
    scores, labels = [score / 30 for score, _ in rows], [label for _, label in rows]
    bends, values = knots(SortedRows.of(np.array(scores), np.array(labels)))
    assert np.interp(sorted(set(scores)), bends, values) == pytest.approx(expected(scores, labels), abs=1e-12)


@given(st.lists(st.integers(0, 1), min_size=1, max_size=200))
def test_the_curve_of_single_rows_has_the_fewest_knots(labels: list[int]) -> None:
    scores = np.arange(len(labels), dtype=float)
    bends, values = knots(SortedRows.of(scores, np.array(labels)))
    assert np.interp(scores, bends, values) == pytest.approx(expected(scores.tolist(), labels), abs=1e-12)
    assert np.all(np.diff(bends) > 0)
    assert np.all(np.diff(values) >= 0)
    assert np.bincount(np.unique(values, return_inverse=True)[1]).max() <= 2


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 12), st.integers(0, 1)), min_size=2, max_size=40))
def test_the_curve_of_close_scores_equals_scikit_learns(rows: list[tuple[int, int, int]]) -> None:
    rows = sorted(rows)
    scores = np.array([0.1 * tenth + 2e-16 * near for tenth, near, _ in rows])
    labels = np.array([label for *_, label in rows])
    order = np.argsort(scores, kind="stable")
    curve = IsotonicRegression(out_of_bounds="clip").fit(scores, labels)
    values = np.interp(scores, *knots(SortedRows.of(scores[order], labels[order])))
    assert values == pytest.approx(curve.predict(scores), abs=1e-9)


def test_nearly_equal_scores_count_as_equal() -> None:
    rows = SortedRows.of(np.array([0.5, 0.5 + 2e-16, 0.75]), np.array([0, 1, 1]))
    assert not rows.distinct
    bends, values = knots(rows)
    assert bends.tolist() == [0.5, 0.75]
    assert values.tolist() == [0.5, 1.0]
