"""When polls are due: after an interval, at the times of a cron expression, and once for all that were missed."""

from datetime import UTC, datetime, timedelta

import pytest

from driftline.errors import InvalidInput
from driftline.store.polling.schedules import Schedule

NOW = datetime(2026, 3, 27, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_an_interval_begins_with_the_last_poll() -> None:
    schedule = Schedule(every=HOUR)
    assert schedule.is_due(None, NOW)
    assert not schedule.is_due(NOW, NOW + HOUR / 2)
    assert schedule.is_due(NOW, NOW + HOUR)


def test_cron_times_are_of_the_time_zone_also_where_clocks_change() -> None:
    schedule = Schedule(cron="0 6 * * *", time_zone="Europe/Berlin")
    times = [NOW]
    for _ in range(3):
        following = schedule.next_after(times[-1])
        assert following is not None
        times.append(following)
    assert [f"{time:%d %H:%M}" for time in times[1:]] == ["28 05:00", "29 04:00", "30 04:00"]


@pytest.mark.parametrize("schedule", [Schedule(every=HOUR), Schedule(cron="5 * * * *")])
def test_many_missed_polls_are_one(schedule: Schedule) -> None:
    later = NOW + 1000 * HOUR
    assert schedule.is_due(NOW, later)
    assert not schedule.is_due(later, later + HOUR / 60)


def test_a_clock_that_went_back_does_not_end_the_polls() -> None:
    assert Schedule(every=HOUR).is_due(NOW + 10_000 * HOUR, NOW)


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (Schedule(), "give `every` or `cron`"),
        (Schedule(every=HOUR, cron="* * * * *"), "give `every` or `cron`"),
        (Schedule(every=timedelta()), "not between 1 second and 366 days"),
        (Schedule(cron="often"), "is not a cron expression"),
        (Schedule(cron="99 * * * *"), "is not a cron expression"),
        (Schedule(cron="0 0 30 2 *"), "has no next time"),
        (Schedule(cron="0 6 * * *", time_zone="Europe/Atlantis"), "no time zone"),
        (Schedule(cron="0 6 * * *", time_zone="../etc/passwd"), "no time zone"),
    ],
)
def test_a_schedule_without_polls_is_refused_with_the_cure(schedule: Schedule, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        schedule.require_valid()
