"""Rows counted by score, prediction and label: against counting them one by one."""

from collections import Counter

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from driftline.engine.performance.binary.scores import UNKNOWN, Scores

SCORE = st.floats(0, 1) | st.integers(0, 3).map(float) | st.just(float("nan")) | st.just(float("inf"))
OUTCOME = st.sampled_from((0.0, 1.0, float("nan")))


@given(st.lists(st.tuples(SCORE, OUTCOME, OUTCOME), max_size=30), st.booleans())
def test_rows_are_counted_as_one_by_one_with_and_without_ties(
    rows: list[tuple[float, float, float]], distinct: bool
) -> None:
    rows = list({row[0]: row for row in rows}.values()) if distinct else rows
    found = Scores.of(pd.DataFrame(rows, columns=["probability_1", "prediction", "label"], dtype=float))
    counted = Counter(
        (score if np.isfinite(score) else "none", *(UNKNOWN if np.isnan(one) else int(one) for one in rest))
        for score, *rest in rows
    )
    kinds = zip(found.scores.tolist(), found.predictions.tolist(), found.labels.tolist(), strict=True)
    named = [(score if np.isfinite(score) else "none", *rest) for score, *rest in kinds]
    assert dict(zip(named, found.counts.tolist(), strict=True)) == counted
    assert len(named) == len(counted)
    known = found.scores[~np.isnan(found.scores)]
    assert np.all(np.diff(known) >= 0)
    assert np.isnan(found.scores[len(known) :]).all()
