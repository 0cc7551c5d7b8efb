"""Labels of chunks follow the calendar of the spec, and every state has words."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from driftline.engine.results import State
from driftline.engine.spec import Period
from driftline.report.wording import MOST_SEVERE_FIRST, PERIOD_WORDS, STATE_WORDS, iso_labels, period_label

START = datetime(2026, 2, 1, tzinfo=UTC)


def test_period_labels_follow_the_calendar_of_the_spec() -> None:
    zone = ZoneInfo("UTC")
    assert period_label(START + timedelta(days=1), Period.DAY, zone) == "2 Feb"
    assert period_label(START, Period.MONTH, zone) == "Feb 2026"
    assert period_label(START, Period.HOUR, ZoneInfo("America/New_York")) == "31 Jan 19:00"


def test_iso_labels_have_times_where_some_start_has() -> None:
    later = START + timedelta(hours=5)
    assert iso_labels([START]) == ["2026-02-01"]
    assert iso_labels([START, later]) == ["2026-02-01 00:00", "2026-02-01 05:00"]


def test_every_state_has_words_and_a_sign_of_its_own() -> None:
    assert set(STATE_WORDS) == set(State) == set(MOST_SEVERE_FIRST)
    assert len({words.sign for words in STATE_WORDS.values()}) == len(State)
    assert set(PERIOD_WORDS) == set(Period)
