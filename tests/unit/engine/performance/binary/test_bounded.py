"""Scores pooled into bins: their number, the merge of parts, and the stated error bounds."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.engine.catalogue import SCORE_METRICS
from driftline.engine.performance.binary.bounded import BoundedRows
from driftline.engine.performance.binary.confusion import BinaryConfusion
from driftline.engine.performance.binary.performance import BinaryPerformance
from driftline.engine.performance.binary.ranked import RankedRows, average_precision, roc_auc
from driftline.engine.performance.binary.rows import BinaryRows
from driftline.engine.results import Metric, ResultKind
from driftline.errors import InvalidInput
from tests.unit.engine.frame_builders import scored_rows
from tests.unit.engine.performance.binary.score_builders import LOOSE

WIDE = st.floats(allow_nan=False, allow_infinity=False)
SCORE = st.one_of(st.floats(0, 1), st.floats(0, 1e-6), st.integers(-3, 3).map(float), WIDE)
ROWS = st.lists(
    st.tuples(st.one_of(SCORE, st.just(float("nan"))), st.integers(0, 1), st.sampled_from((0.0, 1.0, float("nan")))),
    min_size=1,
    max_size=30,
)
LIMIT = st.integers(2, 15)
Rows = list[tuple[float, int, float]]


def _scores(rows: Rows) -> BinaryRows:
    return BinaryRows.of(pd.DataFrame(rows, columns=["probability_1", "prediction", "label"]))


def _distinct(scores: BinaryRows) -> int:
    return len(np.unique(scores.scored.scores))


def _metrics(scores: BinaryRows) -> tuple[float | None, float | None]:
    ranked = RankedRows.of(scores.labelled.scored)
    return roc_auc(ranked), average_precision(ranked)


@given(ROWS, LIMIT)
def test_the_stated_errors_hold(rows: Rows, limit: int) -> None:
    exact = _scores(rows)
    bounded = BoundedRows.of(exact, limit)
    assert _distinct(bounded.rows) <= limit
    errors = (bounded.roc_auc_error, bounded.average_precision_error)
    for before, after, error in zip(_metrics(exact), _metrics(bounded.rows), errors, strict=True):
        if before is None or after is None or error is None:
            assert (before, after, error) == (None, None, None)
        else:
            assert abs(after - before) <= error + 1e-12


@given(ROWS, LIMIT)
def test_what_needs_no_score_stays_exact(rows: Rows, limit: int) -> None:
    exact = _scores(rows)
    bounded = BoundedRows.of(exact, limit).rows
    assert bounded.rows == exact.rows
    assert bounded.scored.rows == exact.scored.rows
    assert BinaryConfusion.of(bounded.labelled) == BinaryConfusion.of(exact.labelled)
    assert np.all(np.diff(bounded.scored.scores) >= 0)


@given(ROWS, ROWS, ROWS, LIMIT)
def test_parts_merge_to_the_whole_in_any_order(first: Rows, second: Rows, third: Rows, limit: int) -> None:
    at_once = BoundedRows.of(_scores([*first, *second, *third]), limit)
    a, b, c = (BoundedRows.of(_scores(part), limit) for part in (first, second, third))
    for merged in (a.merge(b).merge(c), a.merge(b.merge(c)), c.merge(a).merge(b)):
        assert merged.width == at_once.width
        np.testing.assert_allclose(merged.rows.scores, at_once.rows.scores, rtol=1e-12, atol=1e-12 * at_once.width)
        for name in ("predictions", "labels", "counts"):
            np.testing.assert_array_equal(getattr(merged.rows, name), getattr(at_once.rows, name))
        assert merged.roc_auc_error == at_once.roc_auc_error
        assert merged.average_precision_error == at_once.average_precision_error


def test_a_width_does_not_depend_on_rounding() -> None:
    """A bin just below 0 and one far below it differ in more bits than a float holds."""
    scores = _scores([(-16384.0, 0, 0.0), (-4.6e-90, 0, 0.0), (0.0, 0, 0.0)])
    assert BoundedRows.of(scores, 2).width == 16384.0


def test_few_scores_are_left_exact() -> None:
    exact = BinaryRows.of(scored_rows(5_000))
    bounded = BoundedRows.of(exact, 1_000)
    assert bounded.rows is exact
    assert (bounded.width, bounded.roc_auc_error, bounded.average_precision_error) == (0.0, 0.0, 0.0)


def test_a_thousand_distinct_scores_are_nearly_exact() -> None:
    rng = np.random.default_rng(0)
    rows = scored_rows(50_000).assign(probability_1=rng.beta(2, 5, 50_000))
    exact = BinaryRows.of(rows.assign(label=(rng.random(50_000) < rows["probability_1"]).astype(float)))
    bounded = BoundedRows.of(exact, 1_000)
    assert 500 < _distinct(bounded.rows) <= 1_000
    assert bounded.roc_auc_error == pytest.approx(0.0004, abs=0.0004)
    assert bounded.average_precision_error is not None
    assert bounded.average_precision_error < 0.01


def test_bins_are_narrow_where_scores_are_close() -> None:
    close = [(0.5 + n * 1e-9, 1, float(n % 2)) for n in range(100)]
    assert BoundedRows.of(_scores(close), 50).width < 1e-8


def test_the_smaller_limit_and_the_wider_bins_apply() -> None:
    rng = np.random.default_rng(1)
    narrow, wide = (
        BoundedRows.of(_scores([(float(s), 1, 1.0) for s in rng.random(500)]), limit) for limit in (400, 20)
    )
    merged = narrow.merge(wide)
    assert merged.limit == 20
    assert merged.width >= wide.width > narrow.width
    assert _distinct(merged.rows) <= 20


def test_huge_scores_are_pooled_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        huge = [(sign * 10.0**power, 1, 1.0) for power in range(0, 300, 3) for sign in (-1, 1)]
        assert _distinct(BoundedRows.of(_scores(huge), 5).rows) <= 5


def test_a_limit_of_one_score_is_refused() -> None:
    with pytest.raises(InvalidInput, match="limit of distinct scores is 1; it must be at least 2"):
        BoundedRows.of(_scores([(0.5, 1, 1.0)]), 1)


def test_results_of_pooled_scores_have_a_note() -> None:
    rows = scored_rows(4_000).assign(probability_1=np.random.default_rng(2).random(4_000))
    performance = BinaryPerformance.fit(rows, LOOSE)
    exact = {(kind, metric): outcome for kind, metric, outcome in performance.outcomes(BinaryRows.of(rows), LOOSE)}
    bounded = BoundedRows.of(BinaryRows.of(rows[:2_000]), 200).merge(BoundedRows.of(BinaryRows.of(rows[2_000:]), 200))
    pooled = {(kind, metric): outcome for kind, metric, outcome in performance.outcomes(bounded, LOOSE)}
    assert pooled.keys() == exact.keys()
    for (kind, metric), outcome in pooled.items():
        before = exact[kind, metric]
        if kind is ResultKind.REALIZED and metric not in SCORE_METRICS:
            assert outcome == before
        elif before.value is not None:
            assert outcome.value == pytest.approx(before.value, abs=0.02, rel=0.02)
            assert (outcome.reason or "").startswith(
                "Scores were pooled into bins of width 0.0078 to bound memory: the"
            )
    assert "off by at most 0.00" in (pooled[ResultKind.REALIZED, Metric.ROC_AUC].reason or "")
    assert "not exact" in (pooled[ResultKind.REALIZED, Metric.BRIER].reason or "")
