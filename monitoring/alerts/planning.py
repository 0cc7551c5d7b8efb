"""Turns pending verdict events into deliveries: news about each incident, for the channels of its route."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import uuid4

from sqlalchemy import Connection, Engine, select

from driftline.engine.spec import Spec
from driftline.store.database import in_transaction, translated
from driftline.store.model_numbers import lock_version
from driftline.store.tables import models
from driftline.store.version_key import VersionKey
from driftline.store.versions.spec_revisions import newest_spec
from monitoring.alerts import delivery_store
from monitoring.alerts.configuration import AlertConfiguration, AlertRoute
from monitoring.alerts.delivery_store import PlannedDelivery
from monitoring.alerts.messages.alert import AlertKind
from monitoring.alerts.messages.facts import read_alert, segments_outside
from monitoring.alerts.messages.follow_ups import LastMessage, is_backfilled, kind_of
from monitoring.incidents import event_log, silences
from monitoring.incidents.stored_incidents import IncidentFilter, StoredIncident, find_incidents
from monitoring.incidents.update import update_version
from monitoring.poll.results.verdict_events import EventConsumer

MOST_INCIDENTS = 10_000


def new_id() -> str:
    """Return the id of a new delivery."""
    return uuid4().hex


@dataclass(frozen=True, slots=True)
class Planner:
    """What deliveries are planned with: the channels and routes, the monitor's public address, and new ids."""

    configuration: AlertConfiguration
    public_url: str = ""
    new_id: Callable[[], str] = new_id


@dataclass(frozen=True, slots=True)
class _VersionPlan:
    """Plans the deliveries about the incidents of one version, at one time."""

    planner: Planner
    key: VersionKey
    spec: Spec
    now: datetime

    def deliveries(self, connection: Connection) -> Iterator[PlannedDelivery]:
        """Yield the deliveries about the incidents of the version."""
        last = delivery_store.last_messages(connection, self.key)
        incidents = {incident.number: incident for incident in _incidents(connection, self.key)}
        audible = (incident for incident in incidents.values() if not incident.is_silenced(self.now))
        for incident in sorted(audible, key=lambda incident: incident.number):
            for channel, route in self._channels(connection, incident, last):
                delivery = self._about(connection, incident, channel, route, last.get((incident.number, channel)))
                if delivery is not None:
                    yield delivery
        for (number, channel), message in last.items():
            if number not in incidents and not message.kind.ends:
                yield from self._merged(connection, number, channel, message)

    def _channels(
        self, connection: Connection, incident: StoredIncident, last: dict[tuple[int, str], LastMessage]
    ) -> Iterator[tuple[str, AlertRoute | None]]:
        """Yield the channels of an incident: those of its routes, and those that have a message about it already."""
        configuration = self.planner.configuration
        segments: tuple[str, ...] = ()
        if configuration.has_segment_routes:
            segments = segments_outside(connection, self.key, incident.last)
        routed = dict(configuration.routes_of(incident, segments))
        yield from routed.items()
        for name in configuration.channels:
            if name not in routed and (incident.number, name) in last:
                yield name, None

    def _about(
        self,
        connection: Connection,
        incident: StoredIncident,
        channel: str,
        route: AlertRoute | None,
        last: LastMessage | None,
    ) -> PlannedDelivery | None:
        past = is_backfilled(self.spec, incident, self.now, self.planner.configuration.back_fill_days)
        kind = kind_of(incident, last, backfilled=past)
        if kind is None:
            return None
        alert = read_alert(connection, self.key, self.spec, incident, kind, last, self.planner.public_url)
        due_at, delayed = self._due(route)
        grouped = delayed and self.planner.configuration.channels[channel].digests
        thread = last.thread if last else None
        return PlannedDelivery(self.planner.new_id(), channel, alert, due_at, grouped, thread)

    def _merged(
        self, connection: Connection, number: int, channel: str, message: LastMessage
    ) -> Iterator[PlannedDelivery]:
        """Yield the end of a thread whose incident is a part of an earlier one now."""
        newest = delivery_store.find_deliveries(
            connection, delivery_store.DeliveryFilter(channel=channel, incident=number, most=1)
        )
        if channel in self.planner.configuration.channels and newest:
            alert = newest[0].alert.model_copy(update={"kind": AlertKind.MERGED, "severity_before": message.severity})
            yield PlannedDelivery(self.planner.new_id(), channel, alert, self.now, thread=message.thread)

    def _due(self, route: AlertRoute | None) -> tuple[datetime, bool]:
        """Return when a message may be sent, and whether it waits for that."""
        due_at = route.digest.next_after(self.now) if route and route.digest else self.now
        quiet_end = route.quiet_hours.end_after(due_at) if route and route.quiet_hours else None
        due_at = quiet_end or due_at
        return due_at, due_at > self.now


def plan_alerts(engine: Engine, planner: Planner, now: datetime) -> int:
    """Store the deliveries that follow from pending verdict events and from silences that have ended; return how many.

    Each version has a transaction of its own.

    Raises:
        DatabaseUnavailable: the database is unavailable; events that were not taken stay pending.
    """
    with translated(), engine.connect() as connection:
        with_events = event_log.versions_with_events(connection, EventConsumer.ALERTS)
        versions = dict.fromkeys([*with_events, *silences.versions_with_ended(connection, now)])
    return sum(in_transaction(engine, partial(plan_version, key=key, planner=planner, now=now)) for key in versions)


def plan_version(connection: Connection, key: VersionKey, planner: Planner, now: datetime) -> int:
    """Store the deliveries of one version and settle its events and the silences that have ended.

    Its incidents are brought up to date first. No message is planned for an incident that is silenced.
    """
    if not lock_version(connection, key):
        return 0
    pending = event_log.pending(connection, EventConsumer.ALERTS, key)
    ended = silences.settle_ended(connection, key, now)
    if not pending and not ended:
        return 0
    update_version(connection, key)
    planned: list[PlannedDelivery] = []
    if planner.configuration.channels:
        planned = list(_VersionPlan(planner, key, newest_spec(connection, key), now).deliveries(connection))
    for delivery in planned:
        delivery_store.store(connection, delivery, key, now)
    if pending:
        event_log.settle(connection, EventConsumer.ALERTS, key, max(pending))
    return len(planned)


def _incidents(connection: Connection, key: VersionKey) -> list[StoredIncident]:
    name = connection.execute(select(models.c.name).where(models.c.number == key.model_number)).scalar_one()
    return find_incidents(connection, IncidentFilter(name, key.version, most=MOST_INCIDENTS))
