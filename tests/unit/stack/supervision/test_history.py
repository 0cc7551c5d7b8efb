"""Delays between starts grow while a process keeps ending, and are short again after a steady run."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from stack.services.status import restart_lines, restarting_text
from stack.supervision import history
from stack.supervision.history import LONGEST_DELAY, STEADY, ProcessHistory

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def short_runs(count: int) -> ProcessHistory:
    past = ProcessHistory().started(7, NOW)
    for _ in range(count):
        past = past.ended("exit status 1", NOW + SECOND, restarted=True).started(7, NOW)
    return past.ended("exit status 1", NOW + SECOND, restarted=True)


def test_the_delay_doubles_up_to_a_minute() -> None:
    delays = [history.delay(count).total_seconds() for count in range(1, 11)]
    assert delays[:4] == [0.5, 1.0, 2.0, 4.0]
    assert delays == sorted(delays)
    assert delays[-1] == LONGEST_DELAY.total_seconds()
    assert history.delay(10**6) == LONGEST_DELAY


def test_a_steady_run_makes_the_delay_short_again() -> None:
    past = short_runs(8).started(7, NOW)
    assert past.is_crash_loop
    ended = past.ended("killed by SIGKILL", NOW + STEADY, restarted=True)
    assert not ended.is_crash_loop
    assert ended.due_at == NOW + STEADY + history.delay(1)


def test_what_is_stopped_on_request_is_not_due() -> None:
    past = short_runs(3).forgotten()
    assert (past.due_at, past.restarts, past.starts) == (None, 0, 4)
    assert past.ended("exit status 0", NOW, restarted=False).due_at is None


def test_histories_are_read_as_they_were_written(tmp_path: Path) -> None:
    file = tmp_path / "histories.json"
    assert history.read(file) == {}
    histories = {"monitor": short_runs(2), "kafka": ProcessHistory().started(None, NOW)}
    history.write(file, histories)
    assert history.read(file) == histories


def test_the_status_says_how_often_when_and_why() -> None:
    past = short_runs(5)
    assert restart_lines({"monitor": past, "kafka": ProcessHistory().started(7, NOW)}) == [
        "Monitor was restarted 5 times; it last ended at 2026-05-01 12:00:01 UTC: exit status 1"
    ]
    assert restarting_text(past, NOW + SECOND) == "crash loop, next start in 16 s"
    assert restarting_text(short_runs(0), NOW + SECOND) == "restarting, next start in 0 s"
