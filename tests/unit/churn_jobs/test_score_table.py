"""Counts per score give the same numbers as the rows themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from churn_jobs.trainers.score_table import ScoreTable

ROWS = st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=2, max_size=60)


def table_of(rows: list[tuple[int, bool]]) -> ScoreTable:
    bins = sorted({bin_ for bin_, _ in rows}, reverse=True)
    counts = [[label for row_bin, label in rows if row_bin == bin_] for bin_ in bins]
    return ScoreTable.of(bins, [len(labels) for labels in counts], [sum(labels) for labels in counts])


@given(rows=ROWS)
def test_metrics_equal_those_computed_from_the_rows(rows: list[tuple[int, bool]]) -> None:
    table = table_of(rows)
    scores, labels = np.array([bin_ for bin_, _ in rows]), np.array([label for _, label in rows])
    if not 0 < labels.sum() < len(labels):
        assert table.roc_auc() is None
        return
    assert table.roc_auc() == pytest.approx(roc_auc_score(labels, scores))
    for place, bin_ in enumerate(table.bins):
        called = scores >= bin_
        assert table.f1_from()[place] == pytest.approx(f1_score(labels, called))
        assert table.accuracy_from()[place] == pytest.approx(accuracy_score(labels, called))


def test_an_empty_table_has_no_auc() -> None:
    assert ScoreTable.of([], [], []).roc_auc() is None
