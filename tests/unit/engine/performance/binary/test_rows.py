"""Rows counted by score, prediction and label, compared with counting them one by one."""

from collections import Counter

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from driftline.engine.performance.binary.rows import MISSING, BinaryRows

SCORE = st.floats(0, 1) | st.integers(0, 3).map(float) | st.just(float("nan")) | st.just(float("inf"))
OUTCOME = st.sampled_from((0.0, 1.0, float("nan")))


@given(st.lists(st.tuples(SCORE, OUTCOME, OUTCOME), max_size=30), st.booleans())
def test_rows_are_counted_with_and_without_ties(rows: list[tuple[float, float, float]], distinct: bool) -> None:
    rows = list({row[0]: row for row in rows}.values()) if distinct else rows
    actual = BinaryRows.of(pd.DataFrame(rows, columns=["probability_1", "prediction", "label"], dtype=float))
    counted = Counter(
        (score if np.isfinite(score) else "none", *(MISSING if np.isnan(value) else int(value) for value in outputs))
        for score, *outputs in rows
    )
    kinds = zip(actual.scores.tolist(), actual.predictions.tolist(), actual.labels.tolist(), strict=True)
    named = [(score if np.isfinite(score) else "none", *outputs) for score, *outputs in kinds]
    assert dict(zip(named, actual.counts.tolist(), strict=True)) == counted
    assert len(named) == len(counted)
    finite = actual.scores[~np.isnan(actual.scores)]
    assert np.all(np.diff(finite) >= 0)
    assert np.isnan(actual.scores[len(finite) :]).all()
