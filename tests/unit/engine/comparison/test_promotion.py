"""A challenger is promoted where it is better beyond noise, on labelled chunks, and nowhere else."""

from dataclasses import replace

import numpy as np
import pytest

from driftline.engine.comparison.promotion import PromotionRule, decide
from tests.unit.engine.comparison.worlds import DRIFTED_LAW, LAW, shadow_rows

RULE = PromotionRule()
SEEDS = range(20)


@pytest.mark.parametrize("seed", SEEDS)
def test_without_drift_nothing_is_promoted(seed: int) -> None:
    decision = decide(shadow_rows(seed, LAW), RULE)
    assert decision.comparison is not None
    assert not decision.promote, decision.reason


@pytest.mark.parametrize("seed", SEEDS)
def test_with_concept_drift_the_challenger_is_promoted(seed: int) -> None:
    decision = decide(shadow_rows(seed, DRIFTED_LAW), RULE)
    assert decision.promote, decision.reason
    assert "beyond the noise" in decision.reason


def test_nothing_is_promoted_on_chunks_without_labels() -> None:
    rows = shadow_rows(0, DRIFTED_LAW)
    labels = rows.labels.copy()
    labels[rows.chunks >= 6] = np.nan
    decision = decide(replace(rows, labels=labels), RULE)
    assert (decision.promote, decision.chunks, decision.comparison) == (False, 6, None)
    assert "nothing is promoted without labels" in decision.reason
    labels[:] = np.nan
    assert decide(replace(rows, labels=labels), RULE).chunks == 0


def test_a_chunk_with_too_few_labels_is_left_out() -> None:
    rows = shadow_rows(0, DRIFTED_LAW)
    labels = rows.labels.copy()
    first = np.flatnonzero(rows.chunks == 0)
    labels[first[: len(first) // 10]] = np.nan
    decision = decide(replace(rows, labels=labels), RULE)
    assert decision.comparison is not None
    assert (decision.chunks, decision.comparison.rows) == (13, 13 * len(first))


def test_a_gain_that_is_sure_but_small_is_not_worth_a_change() -> None:
    rows = shadow_rows(3, DRIFTED_LAW)
    decision = decide(rows, replace(RULE, gain=0.9))
    assert not decision.promote
    assert "below the smallest gain of 0.9" in decision.reason


def test_few_subjects_or_one_class_are_not_compared() -> None:
    rows = shadow_rows(0, DRIFTED_LAW)
    assert "too few" in decide(replace(rows, subjects=rows.subjects % 10), RULE).reason
    assert "too few" in decide(replace(rows, labels=np.zeros_like(rows.labels)), RULE).reason
