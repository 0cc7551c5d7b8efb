"""Duplicates, row count and freshness: of the chunk, not of a column."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.engine.chunking.chunks import Chunk
from driftline.engine.evaluation.evaluate import evaluate_chunk
from driftline.engine.evaluation.reference import FittedReference, fit_reference
from driftline.engine.quality import duplicates, freshness
from driftline.engine.quality.freshness import NewestRow
from driftline.engine.results import MODEL, Quality, Result, ResultKind, State
from driftline.errors import InvalidInput, SchemaMismatch
from tests.unit.engine.frame_builders import ORIGIN, SPEC, scored_rows

LOOSE = SPEC.model_copy(update={"minimum_rows": 2})
DAY = Chunk(ORIGIN, ORIGIN + timedelta(days=1))
ALL = SPEC.model_copy(update={"quality": (Quality.DUPLICATES, Quality.ROW_COUNT, Quality.FRESHNESS)})


def _share(rows: pd.DataFrame) -> float | None:
    return duplicates.finish(duplicates.summarize(rows, LOOSE), LOOSE).value


def test_an_id_seen_before_is_a_duplicate_whatever_the_row_says() -> None:
    rows = scored_rows(8)
    assert _share(rows) == 0.0
    assert _share(rows.assign(id=[0, 1, 2, 3, 0, 1, 0, 7])) == 3 / 8


def test_an_id_is_the_same_however_it_was_stored() -> None:
    rows = scored_rows(2)
    parts = [duplicates.summarize(rows.assign(id=ids), LOOSE) for ids in ([1, 2], ["1", "2"], [1.0, 2.0])]
    merged = parts[0].merge(parts[1]).merge(parts[2])
    assert duplicates.finish(merged, LOOSE).value == 4 / 6


@pytest.mark.parametrize("ids", [None, "without"])
def test_without_an_id_equal_content_is_a_duplicate_at_any_time(ids: str | None) -> None:
    rows = scored_rows(6).assign(usage=[1.0, 1, np.nan, np.nan, 2, 2], calls=0.0, plan="pro", label=np.nan)
    rows = rows.assign(probability_1=[0.5] * 5 + [0.6], prediction=0)
    rows = rows.drop(columns="id") if ids == "without" else rows.assign(id=ids)
    assert _share(rows) == 2 / 6


def test_a_row_without_id_is_never_the_duplicate_of_one_with_id() -> None:
    row = scored_rows(1)
    assert _share(pd.concat([row, row.assign(id=None)], ignore_index=True)) == 0.0


def test_columns_are_not_mistaken_for_one_another() -> None:
    row = scored_rows(1).drop(columns="id").assign(usage=1.0, calls=2.0)
    assert _share(pd.concat([row, row.assign(usage=2.0, calls=1.0)])) == 0.0


@given(st.lists(st.sampled_from([1, 2, "3", None]), max_size=30), st.integers(0, 30))
def test_duplicates_merge_across_parts_and_in_any_order(ids: list[object], cut: int) -> None:
    rows = scored_rows(len(ids)).assign(id=pd.Series(ids, dtype=object), usage=1.0, calls=1.0, plan="pro", label=0)
    rows = rows.assign(probability_1=0.5, prediction=0)
    first, second = (duplicates.summarize(part, LOOSE) for part in (rows[:cut], rows[cut:]))
    at_once = duplicates.summarize(rows.sample(frac=1, random_state=cut), LOOSE)
    assert at_once.rows - len(at_once.hashes) == len(ids) - len(set(map(str, ids)))
    for merged in (first.merge(second), second.merge(first)):
        assert (merged.rows, merged.hashes.tolist()) == (at_once.rows, at_once.hashes.tolist())


def test_the_age_of_the_newest_row() -> None:
    rows = scored_rows(4)  # at 0, 6, 12 and 18 hours
    assert freshness.finish(freshness.summarize(rows), DAY).value == 6 * 3600.0
    eastern = rows.assign(event_time=rows["event_time"].dt.tz_convert("Asia/Tokyo"))
    assert freshness.summarize(eastern) == freshness.summarize(rows)


def test_freshness_needs_to_know_when_the_chunk_ends() -> None:
    result = freshness.finish(freshness.summarize(scored_rows(4)), None)
    assert result.value is None
    assert "pass the chunk" in (result.reason or "")
    early = Chunk(ORIGIN - timedelta(days=1), ORIGIN)
    assert "is not in this chunk" in (freshness.finish(freshness.summarize(scored_rows(4)), early).reason or "")


def test_naive_times_are_refused() -> None:
    with pytest.raises(InvalidInput, match="event_time must be aware timestamps"):
        freshness.summarize(scored_rows(1).assign(event_time=datetime(2026, 1, 1)))  # noqa: DTZ001


def test_the_newest_of_parts() -> None:
    none, old, new = NewestRow(0, None), NewestRow(2, datetime(2026, 1, 1, tzinfo=UTC)), NewestRow(3, DAY.end)
    assert none.merge(old) == old.merge(none) == old
    assert old.merge(new) == new.merge(old) == NewestRow(5, DAY.end)


@pytest.fixture(scope="module")
def fitted() -> FittedReference:
    return fit_reference(scored_rows(4_000, days=10), ALL)


def _of(results: tuple[Result, ...], quality: Quality) -> Result:
    return next(r for r in results if (r.subject, r.kind, r.method) == (MODEL, ResultKind.QUALITY, quality))


def test_the_faults_of_a_chunk_are_held_against_the_reference(fitted: FittedReference) -> None:
    same = evaluate_chunk(fitted, ALL, scored_rows(400, seed=1), DAY)
    assert [(_of(same, quality).value, _of(same, quality).state) for quality in ALL.quality] == [
        (0.0, State.OK),
        (400.0, State.OK),
        (216.0, State.OK),
    ]
    rows = scored_rows(400, seed=1)[:300]
    worse = evaluate_chunk(fitted, ALL, rows.assign(id=rows["id"] % 290), DAY)
    assert [(_of(worse, quality).value, _of(worse, quality).state) for quality in ALL.quality] == [
        (10 / 300, State.WARN),
        (300.0, State.WARN),
        (6 * 3600 + 216.0, State.WARN),
    ]


def test_few_rows_are_counted_all_the_same(fitted: FittedReference) -> None:
    few = evaluate_chunk(fitted, ALL, scored_rows(9), DAY)
    assert (_of(few, Quality.ROW_COUNT).value, _of(few, Quality.ROW_COUNT).state) == (9.0, State.WARN)
    assert _of(few, Quality.DUPLICATES).reason == "9 rows, fewer than the minimum of 100"


def test_freshness_needs_the_event_time(fitted: FittedReference) -> None:
    with pytest.raises(SchemaMismatch, match="missing: event_time"):
        evaluate_chunk(fitted, ALL, scored_rows(9).drop(columns="event_time"), DAY)
