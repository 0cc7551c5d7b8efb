"""An outlet delivers in order, tries again, and never makes its caller wait."""

from datetime import UTC, datetime
from threading import Event

import pytest

from driftline.lineage import outlet, runs
from driftline.lineage.outlet import EventRefused, Outlet, ReceiverAway
from driftline.lineage.runs import EventCounts, RunEvent
from tests.unit.driftline.lineage.recorders import kept_events

NOW = datetime(2024, 3, 1, tzinfo=UTC)


def events(count: int) -> list[RunEvent]:
    with kept_events() as kept:
        for number in range(count):
            runs.record(str(number), NOW, facts={})
    return kept[::2]


def test_events_arrive_in_their_order_after_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlet, "FIRST_PAUSE", 0.01)
    arrived, failures = list[str](), iter([ReceiverAway("away"), EventRefused("refused"), None])

    def deliver(event: RunEvent) -> None:
        failure = next(failures, None)
        if failure is not None:
            raise failure
        arrived.append(event.job)

    tested = Outlet("test", deliver)
    for event in events(3):
        tested.add(event)
    tested.close()
    assert arrived == ["1", "2"]  # the first was tried again, and then refused
    assert tested.counts() == EventCounts(2, 1)


def test_a_full_queue_loses_the_newest_events(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(outlet, "CLOSE_SECONDS", 0.05)
    begun, released = Event(), Event()

    def deliver(_: RunEvent) -> None:
        begun.set()
        released.wait()

    tested = Outlet("test", deliver, most=2)
    first, *others = events(6)
    tested.add(first)
    begun.wait()
    for event in others:
        tested.add(event)
    assert tested.counts() == EventCounts(0, 3)
    tested.close()
    assert tested.counts() == EventCounts(0, 5)
    assert "0 events reached test, 5 were lost" in caplog.text
    assert caplog.text.count("too many events wait") == 1
    released.set()


def test_an_event_that_cannot_be_made_is_lost_alone(caplog: pytest.LogCaptureFixture) -> None:
    def deliver(event: RunEvent) -> None:
        if event.job == "0":
            raise KeyError("x")

    tested = Outlet("test", deliver)
    for event in events(2):
        tested.add(event)
    tested.close()
    assert tested.counts() == EventCounts(1, 1)
    assert "an event cannot be sent" in caplog.text
