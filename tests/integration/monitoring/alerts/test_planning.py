"""Deliveries follow from verdict events: once, to the right channels, in the right thread, at the right time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from driftline.engine.results import Result, ResultKind, State, SubjectKind
from driftline.errors import Conflict, NotFound
from driftline.store.database import in_transaction
from driftline.store.tables import pending_events
from monitoring.alerts import delivery_store
from monitoring.alerts.delivery_store import ClaimedDelivery, DeliveryFilter, DeliveryState, StoredDelivery
from monitoring.incidents import event_log, silences
from monitoring.incidents.action_log import actions_of
from monitoring.incidents.stored_incidents import IncidentFilter, find_incidents
from tests.integration.monitoring.alerts.conftest import Planning
from tests.integration.monitoring.incidents.days import Days
from tests.integration.simulated_kill import SimulatedKill, killed_at

OPS = {"type": "slack", "secret": "slack_url"}
PAGER = {"type": "pagerduty", "secret": "key"}
BOTH: dict[str, Any] = {
    "channels": {"ops": OPS, "pager": PAGER},
    "routes": [{"channels": ["ops"]}, {"channels": ["pager"], "severity": "alert"}],
}
LEASE = timedelta(minutes=1)


def deliveries(engine: Engine, **criteria: Any) -> list[StoredDelivery]:
    with engine.connect() as connection:
        return delivery_store.find_deliveries(connection, DeliveryFilter(**criteria))[::-1]


def kinds(engine: Engine, channel: str) -> list[str]:
    return [str(delivery.alert.kind) for delivery in deliveries(engine, channel=channel)]


def claim(engine: Engine, channel: str, now: datetime) -> ClaimedDelivery | None:
    return in_transaction(engine, lambda connection: delivery_store.claim(connection, channel, now, LEASE))


def deliver_all(engine: Engine, channel: str, now: datetime) -> list[ClaimedDelivery]:
    delivered = []
    while claimed := claim(engine, channel, now):
        in_transaction(engine, lambda c, done=claimed: delivery_store.settle_delivered(c, done, now))  # type: ignore[misc]
        delivered.append(claimed)
    return delivered


def test_an_incident_is_told_once_and_followed_in_its_thread(engine: Engine, days: Days) -> None:
    planning = Planning(engine, BOTH)
    for day, state in enumerate((State.OK, State.WARN, State.WARN, State.ALERT, State.WARN, State.OK)):
        days.verdict(day, state)
        planning.plan()
        assert planning.plan() == 0
    assert kinds(engine, "ops") == ["opened", "worse", "better", "resolved"]
    assert kinds(engine, "pager") == ["opened", "better", "resolved"]
    days.verdict(5, State.WARN)  # late labels
    days.verdict(6, State.OK)
    planning.plan()
    days.verdict(6, State.WARN)
    planning.plan()
    assert kinds(engine, "ops")[4:] == ["revised"]
    alert = deliveries(engine, channel="ops")[-1].alert
    assert alert.news.startswith("Revised by late labels: ")
    assert alert.incident_url == f"https://driftline.example/incidents/{alert.incident}"
    assert (alert.rows, alert.labelled, alert.provisional) == (9, 9, False)
    sent = deliver_all(engine, "ops", planning.now)
    assert {claimed.delivery.thread for claimed in sent} == {sent[0].delivery.id}
    assert [claimed.delivery.is_first for claimed in sent] == [True, False, False, False, False]
    assert {claimed.delivery.title for claimed in sent} == {
        f"flights: Warning since 2 Feb 2026 (incident {alert.incident})"
    }
    with engine.connect() as connection:
        assert connection.execute(select(pending_events)).all() == []


def silence(engine: Engine, until: datetime, now: datetime) -> None:
    with engine.connect() as connection:
        (incident,) = find_incidents(connection, IncidentFilter())
    number = incident.number
    in_transaction(engine, lambda connection: silences.silence(connection, number, "anna", "A repair.", until, now))


def test_a_silenced_incident_sends_nothing_until_the_end(engine: Engine, days: Days) -> None:
    planning = Planning(engine, BOTH)
    days.verdict(0, State.WARN)
    planning.plan()
    deliver_all(engine, "ops", planning.now)
    silence(engine, planning.now + LEASE, planning.now)
    days.verdict(1, State.ALERT)
    assert planning.plan() == 0
    planning.now += LEASE
    assert planning.plan() == 2
    assert (kinds(engine, "ops"), kinds(engine, "pager")) == (["opened", "worse"], ["opened"])
    assert planning.plan() == 0
    with engine.connect() as connection:
        assert find_incidents(connection, IncidentFilter())[0].silenced_until is None


def test_a_silence_drops_waiting_messages_and_its_end_plans_new(engine: Engine, days: Days) -> None:
    planning = Planning(engine, BOTH)
    days.verdict(0, State.WARN)
    planning.plan()
    silence(engine, planning.now + timedelta(days=1), planning.now)
    assert kinds(engine, "ops") == []
    days.verdict(1, State.ALERT)
    assert planning.plan() == 0
    with engine.connect() as connection:
        number = find_incidents(connection, IncidentFilter())[0].number
    in_transaction(engine, lambda connection: silences.end_silence(connection, number, "anna", planning.now))
    planning.plan()
    assert [delivery.alert.severity for delivery in deliveries(engine, channel="ops")] == ["alert"]
    with engine.connect() as connection:
        actions = actions_of(connection, number)
    assert [(action.kind, action.author, action.text) for action in actions] == [
        ("silenced", "anna", "A repair."), ("unsilenced", "anna", None),
    ]  # fmt: skip


def test_a_route_takes_incidents_with_a_segment_out_of_bounds(engine: Engine, days: Days) -> None:
    routes = [{"channels": ["ops"], "segments": ["carrier=A*"]}, {"channels": ["pager"], "segments": ["carrier=B*"]}]
    planning = Planning(engine, {"channels": {"ops": OPS, "pager": PAGER}, "routes": routes})
    result = Result(
        kind=ResultKind.DRIFT, method="jensen_shannon", subject="minutes", subject_kind=SubjectKind.FEATURE,
        segment="carrier=AA", value=0.5, rows=9, state=State.WARN,
    )  # fmt: skip
    days.verdict(0, State.WARN, results=(result,))
    planning.plan()
    assert (kinds(engine, "ops"), kinds(engine, "pager")) == (["opened"], [])


def test_withdrawn_and_merged_incidents_end_their_threads(engine: Engine, days: Days) -> None:
    planning = Planning(engine, BOTH)
    for day, state in enumerate((State.ALERT, State.OK, State.ALERT)):
        days.verdict(day, state)
        planning.plan()
    days.verdict(1, State.ALERT)
    planning.plan()
    assert kinds(engine, "pager") == ["opened", "resolved", "opened", "revised", "merged"]
    merged = deliveries(engine, channel="pager")[-1]
    assert merged.alert.kind.ends
    assert planning.plan() == 0
    for day in (0, 1, 2):
        days.verdict(day, State.OK)
    planning.plan()
    assert kinds(engine, "pager")[-1] == "withdrawn"
    days.verdict(5, State.OK)
    assert planning.plan() == 0


def test_nothing_begins_about_the_past(engine: Engine, days: Days) -> None:
    planning = Planning(engine, BOTH)
    planning.now += timedelta(days=300)
    for day, state in enumerate((State.ALERT, State.OK, State.ALERT)):
        days.verdict(day, state)
    assert planning.plan() == 0
    planning.now -= timedelta(days=300)
    days.verdict(3, State.WARN)
    planning.plan()  # the resolved one was over when it was seen; the other lasts
    assert kinds(engine, "ops") == ["opened"]
    assert deliveries(engine)[0].alert.since.day == 3


def test_quiet_hours_end_in_one_message_and_on_call_gets_each(engine: Engine, days: Days) -> None:
    quiet = {"from": "20:00", "to": "07:00"}
    routes = [{"channels": ["ops", "pager"], "quiet_hours": quiet}]
    planning = Planning(engine, BOTH | {"routes": routes})
    planning.now = datetime(2026, 2, 10, 21, tzinfo=UTC)
    for day, state in enumerate((State.WARN, State.ALERT)):
        days.verdict(day, state)
        planning.plan()
    morning = datetime(2026, 2, 11, 7, tzinfo=UTC)
    assert claim(engine, "ops", morning - timedelta(seconds=1)) is None
    (digest,) = deliver_all(engine, "ops", morning)
    assert [alert.kind for alert in digest.delivery.alerts] == ["opened", "worse"]
    assert [len(claimed.delivery.alerts) for claimed in deliver_all(engine, "pager", morning)] == [1, 1]


def test_a_digest_is_sent_again_with_the_same_content(engine: Engine, days: Days) -> None:
    routes = [{"channels": ["ops"], "digest": {"at": ["08:00"]}}]
    planning = Planning(engine, {"channels": {"ops": OPS}, "routes": routes})
    for day, state in enumerate((State.WARN, State.ALERT)):
        days.verdict(day, state)
        planning.plan()
    due = planning.now + timedelta(days=1)
    first = claim(engine, "ops", due)  # and the process is killed
    assert first is not None
    days.verdict(2, State.OK)
    planning.plan()
    late = due + timedelta(days=1)
    again, remaining = deliver_all(engine, "ops", late)
    assert (again.delivery, again.attempt) == (first.delivery, 2)
    assert [alert.kind for alert in remaining.delivery.alerts] == ["resolved"]


def test_a_claim_excludes_others_and_orders_follow_ups(engine: Engine, days: Days) -> None:
    planning = Planning(engine, BOTH)
    for day, state in enumerate((State.WARN, State.ALERT)):
        days.verdict(day, state)
        planning.plan()
    now = planning.now
    first = claim(engine, "ops", now)
    assert first is not None
    assert claim(engine, "ops", now) is None, "a follow-up overtook the first message"
    in_transaction(engine, lambda c: delivery_store.settle_failed(c, first, "away", now + LEASE))
    assert claim(engine, "ops", now) is None
    again = claim(engine, "ops", now + LEASE)
    assert again is not None
    assert again.delivery == first.delivery
    in_transaction(engine, lambda c: delivery_store.settle_dead(c, again, "away", now))
    later = claim(engine, "ops", now)
    assert later is not None
    assert later.delivery.thread == first.delivery.id
    (dead,) = deliveries(engine, state=DeliveryState.DEAD)
    assert (dead.problem, dead.attempts) == ("away", 2)
    in_transaction(engine, lambda c: delivery_store.retry(c, dead.number, now))
    revived = claim(engine, "ops", now)
    assert revived is not None
    assert revived.delivery == first.delivery
    with pytest.raises(Conflict, match="is pending"):
        in_transaction(engine, lambda c: delivery_store.retry(c, dead.number, now))
    with pytest.raises(NotFound):
        in_transaction(engine, lambda c: delivery_store.retry(c, 10**9, now))


@pytest.mark.kills
def test_several_processes_that_are_killed_plan_each_message_once(engine: Engine, days: Days) -> None:
    planning = Planning(engine, BOTH)
    days.verdict(0, State.ALERT)
    with killed_at(event_log, "settle", call=2), suppress(SimulatedKill):
        planning.plan()
    assert deliveries(engine) == []
    together = threading.Barrier(3)

    def plan() -> int:
        together.wait()
        return planning.plan()

    with ThreadPoolExecutor(3) as pool:
        planned = sum(future.result() for future in [pool.submit(plan) for _ in range(3)])
    assert planned == 2
    assert kinds(engine, "ops") == kinds(engine, "pager") == ["opened"]


def test_without_channels_events_are_settled(engine: Engine, days: Days) -> None:
    days.verdict(0, State.ALERT)
    assert Planning(engine, {}).plan() == 0
    with engine.connect() as connection:
        assert connection.execute(select(pending_events)).all() == []
