from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.engine.drift.sketches import histogram
from driftline.engine.frames.columns import FloatArray

SHAPES: dict[str, Callable[[np.random.Generator, int], FloatArray]] = {
    "normal": lambda rng, rows: rng.normal(size=rows),
    "skewed": lambda rng, rows: rng.lognormal(0, 3, rows),
    "tiny": lambda rng, rows: rng.exponential(size=rows) * 1e-9,
    "huge": lambda rng, rows: rng.normal(size=rows) * 1e12,
    "counted": lambda rng, rows: rng.integers(0, 4, rows).astype(float),
    "constant": lambda rng, rows: np.full(rows, 3.3),
}


@pytest.mark.parametrize("shape", SHAPES)
@given(rows=st.integers(1, 400), seed=st.integers(0, 1_000_000))
def test_bins_are_those_of_numpy(shape: str, rows: int, seed: int) -> None:
    values = np.sort(SHAPES[shape](np.random.default_rng(seed), rows))
    fitted = histogram.fit(values)
    np.testing.assert_array_equal(fitted.edges, np.histogram_bin_edges(values, bins="doane"))
    assert fitted.rows == rows


def test_a_column_without_values_has_a_bin_without_rows() -> None:
    assert histogram.fit(np.empty(0)).counts.tolist() == [0]
