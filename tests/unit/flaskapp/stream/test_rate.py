"""Records per second over the last batches."""

from datetime import UTC, datetime, timedelta

from flaskapp.stream.rate import BATCHES, Rate

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_one_batch_has_no_rate() -> None:
    rate = Rate()
    assert rate.per_second() is None
    rate.add(START, 100)
    assert rate.per_second() is None


def test_the_rate_is_of_the_last_batches() -> None:
    rate = Rate()
    rate.add(START - timedelta(days=1), 10**9)
    for n in range(BATCHES):
        rate.add(START + timedelta(seconds=2 * n), 100)
    assert rate.per_second() == 50


def test_no_time_passed_has_no_rate() -> None:
    rate = Rate()
    rate.add(START, 100)
    rate.add(START, 100)
    assert rate.per_second() is None
