"""When a chunk must be looked at again, and how far a change is carried."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from driftline.engine.calendar import LONGEST_CHUNK, chunk_at, closing_time, label_deadline, next_due, verdict_reach
from driftline.engine.chunking.chunks import next_chunk
from driftline.engine.spec import ColumnSpec, Period, Spec
from driftline.engine.verdicts.verdict import LOOKBACK

ORIGIN = datetime(2026, 2, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SPEC = Spec(columns=(ColumnSpec(name="minutes"),), label_delay=3 * DAY)


def test_a_chunk_is_due_at_its_closing_and_its_label_deadline() -> None:
    chunk = chunk_at(SPEC, ORIGIN)
    assert next_due(SPEC, chunk, ORIGIN) == closing_time(SPEC, chunk) == ORIGIN + DAY
    assert next_due(SPEC, chunk, ORIGIN + DAY) == label_deadline(SPEC, chunk) == ORIGIN + 4 * DAY
    assert next_due(SPEC, chunk, ORIGIN + 4 * DAY) is None


def test_lateness_may_outlast_the_label_delay() -> None:
    late = SPEC.model_copy(update={"allowed_lateness": 5 * DAY})
    chunk = chunk_at(late, ORIGIN)
    assert next_due(late, chunk, ORIGIN) == ORIGIN + 4 * DAY
    assert next_due(late, chunk, ORIGIN + 4 * DAY) == ORIGIN + 6 * DAY


@pytest.mark.parametrize("period", list(Period))
def test_no_chunk_is_longer_than_the_longest(period: Period) -> None:
    zone = ZoneInfo("Europe/Berlin")
    spec = Spec(columns=(ColumnSpec(name="x"),), period=period, time_zone="Europe/Berlin")
    chunk = chunk_at(spec, datetime(2026, 1, 1, tzinfo=zone))
    for _ in range(400):
        assert timedelta(0) < chunk.end - chunk.start <= LONGEST_CHUNK[period]
        chunk = next_chunk(chunk, period, zone)


def test_verdict_reach_covers_the_lookback_and_track_records() -> None:
    assert verdict_reach(SPEC) >= LOOKBACK * DAY
    assert verdict_reach(SPEC) >= SPEC.label_delay + 12 * DAY
    patient = SPEC.model_copy(update={"label_delay": 30 * DAY})
    assert verdict_reach(patient) - verdict_reach(SPEC) == 27 * DAY
