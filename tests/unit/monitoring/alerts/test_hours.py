"""Quiet hours and digests in the time zone of people, summer time included."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from monitoring.alerts.hours import Digest, QuietHours


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


NIGHT = QuietHours.model_validate({"from": "20:00", "to": "07:00", "time_zone": "Europe/Berlin"})


@pytest.mark.parametrize(
    ("now", "end"),
    [
        (utc(2026, 5, 12, 17, 59), None),  # 19:59
        (utc(2026, 5, 12, 18), utc(2026, 5, 13, 5)),
        (utc(2026, 5, 13, 4, 59), utc(2026, 5, 13, 5)),
        (utc(2026, 5, 13, 5), None),
        (utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 6)),  # summer time ends in this night
    ],
)
def test_quiet_hours_span_midnight(now: datetime, end: datetime | None) -> None:
    assert NIGHT.end_after(now) == end


def test_quiet_hours_within_a_day() -> None:
    noon = QuietHours.model_validate({"from": "12:00", "to": "13:00"})
    assert noon.end_after(utc(2026, 5, 12, 12, 30)) == utc(2026, 5, 12, 13)
    assert noon.end_after(utc(2026, 5, 12, 13)) is None


def test_a_digest_has_the_next_of_its_times() -> None:
    digest = Digest.model_validate({"at": ["08:00", "16:00"], "time_zone": "Europe/Berlin"})
    assert digest.next_after(utc(2026, 5, 12, 6)) == utc(2026, 5, 12, 14)
    assert digest.next_after(utc(2026, 5, 12, 14)) == utc(2026, 5, 13, 6)
    assert digest.next_after(utc(2026, 10, 24, 20)) == utc(2026, 10, 25, 7)  # summer time has ended


@pytest.mark.parametrize(
    ("quiet", "words"),
    [
        ({"from": "25:00", "to": "07:00"}, "not a time of day"),
        ({"from": "20:00", "to": "20:00"}, "the same time"),
        ({"from": "20:00", "to": "07:00", "time_zone": "Mars/Olympus"}, "not a time zone"),
    ],
)
def test_what_is_no_time_is_refused(quiet: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        QuietHours.model_validate(quiet)


def test_a_time_without_quotes_is_read_as_yaml_reads_it() -> None:
    assert QuietHours.model_validate({"from": 20 * 60 + 30, "to": 7 * 60}).start.isoformat("minutes") == "20:30"
