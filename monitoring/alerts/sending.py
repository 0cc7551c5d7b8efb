"""Sends deliveries: one thread for each channel, so that a slow or dead channel delays no other, and no poll."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Event, Thread

from sqlalchemy import Engine

from driftline.clock import Clock
from driftline.engine.spec import Period
from driftline.errors import DriftlineError
from driftline.store.database import in_transaction
from monitoring.alerts import delivery_store
from monitoring.alerts.alerts_file import AlertsFile
from monitoring.alerts.channels.channel import Channel
from monitoring.alerts.channels.outbound import DeliveryFailed
from monitoring.alerts.channels.secrets import SecretFolder
from monitoring.alerts.delivery_store import ClaimedDelivery, DeliveryState, PlannedDelivery
from monitoring.alerts.messages.alert import Alert, AlertKind, Delivery
from monitoring.alerts.messages.pictures import draw_alert
from monitoring.alerts.messages.wording import title
from monitoring.alerts.planning import new_id
from monitoring.incidents.derivation import IncidentState
from monitoring.incidents.standing import Severity

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
"""How long one attempt may take: afterwards another process may send the delivery, under the same id."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
LOOK_SECONDS = 1.0
MOST_PICTURES = 5
"""How many alerts of a digest have a chart."""


@dataclass(frozen=True, slots=True)
class ChannelSender:
    """Sends the due deliveries of one channel."""

    engine: Engine
    name: str
    channel: Channel
    secrets: SecretFolder
    attempts: int
    lease: timedelta = LEASE

    def send_due(self, clock: Clock) -> bool:
        """Send the oldest delivery that is due; return whether there was one.

        Raises:
            DatabaseUnavailable: nothing was claimed, or the delivery is sent again after its lease.
        """
        now = clock()
        claimed = in_transaction(
            self.engine, lambda connection: delivery_store.claim(connection, self.name, now, self.lease)
        )
        if claimed is None:
            return False
        self.attempt(claimed, clock)
        return True

    def attempt(self, claimed: ClaimedDelivery, clock: Clock) -> None:
        """Send a claimed delivery, and record the outcome."""
        try:
            self.channel.send(self._with_pictures(claimed.delivery), self.secrets)
        except DeliveryFailed as error:
            self._fail(claimed, error.message, clock())
        except Exception as error:  # noqa: BLE001  (of a channel's library; its text may have a secret)
            self._fail(claimed, f"The channel failed unexpectedly ({type(error).__name__}).", clock())
        else:
            in_transaction(
                self.engine, lambda connection: delivery_store.settle_delivered(connection, claimed, clock())
            )
            log.info("Channel %s took delivery %s.", self.name, claimed.delivery.id)

    def _with_pictures(self, delivery: Delivery) -> Delivery:
        """Return the delivery with charts, where the channel takes pictures."""
        if not self.channel.pictures:
            return delivery
        drawn = (draw_alert(self.engine, alert) for alert in delivery.alerts[:MOST_PICTURES])
        return replace(delivery, pictures=tuple(picture for picture in drawn if picture is not None))

    def _fail(self, claimed: ClaimedDelivery, problem: str, now: datetime) -> None:
        """Store a failed attempt: try the delivery again later, or make it a dead letter after the last attempt."""
        is_test = claimed.delivery.alerts[0].kind is AlertKind.TEST
        dead = is_test or claimed.attempt >= self.attempts
        if dead:
            log.error("Delivery %s to channel %s is a dead letter: %s", claimed.delivery.id, self.name, problem)
            in_transaction(
                self.engine, lambda connection: delivery_store.settle_dead(connection, claimed, problem, now)
            )
            return
        due_at = now + pause_after(claimed.attempt)
        log.warning("Delivery %s to channel %s failed: %s", claimed.delivery.id, self.name, problem)
        in_transaction(
            self.engine, lambda connection: delivery_store.settle_failed(connection, claimed, problem, due_at)
        )


def pause_after(attempt: int) -> timedelta:
    """Return the pause after a failed attempt: half a minute, then twice as long each time, up to an hour."""
    return min(FIRST_PAUSE * (1 << min(attempt - 1, 10)), LONGEST_PAUSE)


def send_test(engine: Engine, name: str, sender: ChannelSender, clock: Clock) -> tuple[int, DeliveryState, str | None]:
    """Send a test message at once; return its number, whether it was taken, and why not."""
    id_, now = new_id(), clock()
    alert = alert_of_test(name, now)
    planned = PlannedDelivery(id_, name, alert, now + LEASE, attempts=1)  # no thread of the channel takes it meanwhile
    number = in_transaction(engine, lambda connection: delivery_store.store(connection, planned, None, now))
    delivery = Delivery(id_, id_, title(alert), (alert,))
    sender.attempt(ClaimedDelivery(delivery, (number,), 1), clock)
    with engine.connect() as connection:
        criteria = delivery_store.DeliveryFilter(channel=name, before=number + 1, most=1)
        stored = delivery_store.find_deliveries(connection, criteria)[0]
    return number, stored.state, stored.problem


def alert_of_test(channel: str, now: datetime) -> Alert:
    """Return the alert of a test message."""
    return Alert(
        kind=AlertKind.TEST,
        model="none",
        version=1,
        incident=None,
        state=IncidentState.RESOLVED,
        severity=Severity.WARN,
        worst=Severity.WARN,
        since=now,
        last=now,
        period=Period.DAY,
        time_zone="UTC",
        news="",
        reasons=(f"Somebody tests the channel {channel}.",),
        provisional=False,
        rows=0,
        labelled=0,
        columns=(),
        segments=(),
        incident_url=None,
        chunks_url=None,
    )


class SenderThreads:
    """A thread for each channel of the file; a channel that is added later gets one too."""

    def __init__(self, engine: Engine, file: AlertsFile, secrets: SecretFolder, clock: Clock) -> None:
        """Store what to send with; nothing starts."""
        self._engine, self._file, self._secrets, self._clock = engine, file, secrets, clock
        self._stop = Event()
        self._threads: dict[str, Thread] = {}
        self._supervisor = Thread(target=self._supervise, name="alert channels", daemon=True)

    def start(self) -> None:
        """Start sending."""
        self._supervisor.start()

    def stop(self, seconds: float = 5.0) -> None:
        """Stop after the deliveries that are being sent; what takes longer is sent again by the next process."""
        self._stop.set()
        self._supervisor.join(seconds)
        for thread in self._threads.values():
            thread.join(seconds)

    def _supervise(self) -> None:
        while not self._stop.is_set():
            for name in self._file.current().channels:
                if not (name in self._threads and self._threads[name].is_alive()):
                    self._threads[name] = Thread(
                        target=self._send_on, args=(name,), name=f"alert channel {name}", daemon=True
                    )
                    self._threads[name].start()
            self._stop.wait(LOOK_SECONDS)

    def _send_on(self, name: str) -> None:
        """Send the due deliveries of a channel until the file no longer names it."""
        while not self._stop.is_set():
            configuration = self._file.current()
            if name not in configuration.channels:
                return
            channel = configuration.channels[name]
            try:
                sender = ChannelSender(self._engine, name, channel, self._secrets, configuration.attempts)
                sent = sender.send_due(self._clock)
            except DriftlineError as error:
                log.warning("Channel %s waits: %s", name, error.message)
                sent = False
            if not sent:
                self._stop.wait(LOOK_SECONDS)
