"""Scores pooled into bins: how many are left, that parts merge to the whole, and that the stated errors hold."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.engine.catalogue import SCORE_METRICS
from driftline.engine.performance.binary.bounded import Bounded
from driftline.engine.performance.binary.confusion import Confusion
from driftline.engine.performance.binary.performance import BinaryPerformance
from driftline.engine.performance.binary.ranked import Ranked, average_precision, roc_auc
from driftline.engine.performance.binary.scores import Scores
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


def _scores(rows: Rows) -> Scores:
    return Scores.of(pd.DataFrame(rows, columns=["probability_1", "prediction", "label"]))


def _distinct(scores: Scores) -> int:
    return len(np.unique(scores.scored.scores))


def _metrics(scores: Scores) -> tuple[float | None, float | None]:
    ranked = Ranked.of(scores.labelled.scored)
    return roc_auc(ranked), average_precision(ranked)


@settings(max_examples=60, deadline=None)
@given(ROWS, LIMIT)
def test_the_stated_errors_hold(rows: Rows, limit: int) -> None:
    exact = _scores(rows)
    bounded = Bounded.of(exact, limit)
    assert _distinct(bounded.scores) <= limit
    errors = (bounded.roc_auc_error, bounded.average_precision_error)
    for before, after, error in zip(_metrics(exact), _metrics(bounded.scores), errors, strict=True):
        if before is None or after is None or error is None:
            assert (before, after, error) == (None, None, None)
        else:
            assert abs(after - before) <= error + 1e-12


@settings(max_examples=30, deadline=None)
@given(ROWS, LIMIT)
def test_what_needs_no_score_stays_exact(rows: Rows, limit: int) -> None:
    exact = _scores(rows)
    bounded = Bounded.of(exact, limit).scores
    assert bounded.rows == exact.rows
    assert bounded.scored.rows == exact.scored.rows
    assert Confusion.of(bounded.labelled) == Confusion.of(exact.labelled)
    assert np.all(np.diff(bounded.scored.scores) >= 0)


@settings(max_examples=30, deadline=None)
@given(ROWS, ROWS, ROWS, LIMIT)
def test_parts_merge_to_the_whole_in_any_order(one: Rows, two: Rows, three: Rows, limit: int) -> None:
    whole = Bounded.of(_scores([*one, *two, *three]), limit)
    a, b, c = (Bounded.of(_scores(part), limit) for part in (one, two, three))
    for merged in (a.merge(b).merge(c), a.merge(b.merge(c)), c.merge(a).merge(b)):
        assert merged.width == whole.width
        np.testing.assert_allclose(merged.scores.scores, whole.scores.scores, rtol=1e-12, atol=1e-12 * whole.width)
        for name in ("predictions", "labels", "counts"):
            np.testing.assert_array_equal(getattr(merged.scores, name), getattr(whole.scores, name))
        assert merged.roc_auc_error == whole.roc_auc_error
        assert merged.average_precision_error == whole.average_precision_error


def test_a_width_does_not_hang_on_rounding() -> None:
    """A bin just below 0 and one far below it differ in more bits than a float holds."""
    scores = _scores([(-16384.0, 0, 0.0), (-4.6e-90, 0, 0.0), (0.0, 0, 0.0)])
    assert Bounded.of(scores, 2).width == 16384.0


def test_few_scores_are_left_exact() -> None:
    exact = Scores.of(scored_rows(5_000))
    bounded = Bounded.of(exact, 1_000)
    assert bounded.scores is exact
    assert (bounded.width, bounded.roc_auc_error, bounded.average_precision_error) == (0.0, 0.0, 0.0)


def test_a_thousand_scores_say_nearly_all() -> None:
    rng = np.random.default_rng(0)
    rows = scored_rows(50_000).assign(probability_1=rng.beta(2, 5, 50_000))
    exact = Scores.of(rows.assign(label=(rng.random(50_000) < rows["probability_1"]).astype(float)))
    bounded = Bounded.of(exact, 1_000)
    assert 500 < _distinct(bounded.scores) <= 1_000
    assert bounded.roc_auc_error == pytest.approx(0.0004, abs=0.0004)
    assert bounded.average_precision_error is not None
    assert bounded.average_precision_error < 0.01


def test_bins_are_narrow_where_scores_are_close() -> None:
    close = [(0.5 + n * 1e-9, 1, float(n % 2)) for n in range(100)]
    assert Bounded.of(_scores(close), 50).width < 1e-8


def test_the_smaller_limit_and_the_wider_bins_hold() -> None:
    rng = np.random.default_rng(1)
    narrow, wide = (Bounded.of(_scores([(float(s), 1, 1.0) for s in rng.random(500)]), limit) for limit in (400, 20))
    merged = narrow.merge(wide)
    assert merged.limit == 20
    assert merged.width >= wide.width > narrow.width
    assert _distinct(merged.scores) <= 20


def test_scores_without_end_are_pooled_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        huge = [(sign * 10.0**power, 1, 1.0) for power in range(0, 300, 3) for sign in (-1, 1)]
        assert _distinct(Bounded.of(_scores(huge), 5).scores) <= 5


def test_one_score_is_too_few_to_keep() -> None:
    with pytest.raises(InvalidInput, match="at least 2 distinct scores must be kept"):
        Bounded.of(_scores([(0.5, 1, 1.0)]), 1)


def test_numbers_of_pooled_scores_say_so() -> None:
    rows = scored_rows(4_000).assign(probability_1=np.random.default_rng(2).random(4_000))
    performance = BinaryPerformance.fit(rows, LOOSE)
    exact = {(kind, metric): found for kind, metric, found in performance.outcomes(Scores.of(rows), LOOSE)}
    bounded = Bounded.of(Scores.of(rows[:2_000]), 200).merge(Bounded.of(Scores.of(rows[2_000:]), 200))
    pooled = {(kind, metric): found for kind, metric, found in performance.outcomes(bounded, LOOSE)}
    assert pooled.keys() == exact.keys()
    for (kind, metric), found in pooled.items():
        before = exact[kind, metric]
        if kind is ResultKind.REALIZED and metric not in SCORE_METRICS:
            assert found == before
        elif before.value is not None:
            assert found.value == pytest.approx(before.value, abs=0.02, rel=0.02)
            assert (found.reason or "").startswith("Scores were pooled into bins 0.0078 wide to bound memory: it is ")
    assert "off by at most 0.00" in (pooled[ResultKind.REALIZED, Metric.ROC_AUC].reason or "")
    assert "not exact" in (pooled[ResultKind.REALIZED, Metric.BRIER].reason or "")
