import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedShuffleSplit

from driftline.engine.performance.calibration import SEED, SPLITS, TEST_SHARE, Calibration, _splits
from driftline.engine.performance.isotonic import SortedRows, knots


def test_the_curve_increases_and_is_constant_outside() -> None:
    curve = Calibration(*knots(SortedRows.of(np.array([0.1, 0.2, 0.3, 0.4]), np.array([0, 1, 0, 1]))))
    assert curve(np.array([0.0, 0.1, 0.15, 0.25, 0.4, 0.9])) == pytest.approx([0, 0, 0.25, 0.5, 1, 1])


@given(st.integers(20, 300), st.floats(0.1, 0.9), st.integers(0, 99))
def test_splits_equal_those_of_scikit_learn(rows: int, share: float, seed: int) -> None:
    labels = (np.random.default_rng(seed).random(rows) < share).astype(np.int64)
    labels[:4] = [0, 0, 1, 1]
    theirs = StratifiedShuffleSplit(SPLITS, test_size=TEST_SHARE, random_state=SEED).split(labels, labels)
    for held_out, (train, test) in zip(_splits(labels), theirs, strict=True):
        assert held_out.tolist() == test.tolist()
        assert sorted([*held_out, *train]) == list(range(rows))
