"""Batch ids: they are reproducible, and the ledger accepts them."""

from datetime import UTC, date, datetime

import pytest

from churn.ledger import ChurnBatchKind
from churn_jobs.batches import DayPart, Part, empty, parts_for, predict_id, prepare_id
from driftline.store.ledger import MAX_ROWS, Batch

DAY = date(2026, 1, 31)
HASH = "0123456789abcdef" * 4


@pytest.mark.parametrize(("rows", "parts"), [(0, 1), (1, 1), (80_000, 1), (80_001, 2), (1_000_000, 13)])
def test_parts_are_smaller_than_the_largest_batch(rows: int, parts: int) -> None:
    assert parts_for(rows) == parts
    assert rows / parts <= 0.8 * MAX_ROWS


def test_ids_name_day_part_version_and_content() -> None:
    day, part = DayPart(Part(DAY), 10, HASH), DayPart(Part(DAY, 1, 3), 10, HASH)
    assert prepare_id(day, 0) == f"prepare/2026-01-31/{HASH[:32]}"
    assert prepare_id(day, 2) == f"prepare/2026-01-31/{HASH[:32]}/3"
    assert prepare_id(part, 0) == f"prepare/2026-01-31/2of3/{HASH[:32]}"
    assert predict_id(part, 4) == f"predict/2026-01-31/2of3/v4/{HASH[:32]}"


def test_the_ledger_accepts_the_longest_id() -> None:
    rows = DayPart(Part(DAY, 998, 999), MAX_ROWS, HASH)
    for batch_id in (prepare_id(rows, 999), predict_id(rows, 9999)):
        assert (
            Batch(batch_id, ChurnBatchKind.PROCESSED, HASH, rows.rows, datetime(2026, 1, 31, tzinfo=UTC)).id == batch_id
        )


def test_a_day_without_rows_is_an_empty_batch() -> None:
    assert empty(DAY).rows == 0
    assert empty(DAY).part == Part(DAY)
