"""The service of alerts: what the API, the pages and the command line do with channels and deliveries."""

from dataclasses import dataclass
from typing import Self

from sqlalchemy import Engine

from driftline.clock import Clock
from driftline.store.database import in_transaction, translated
from monitoring.alerts import delivery_store
from monitoring.alerts.alerts_file import AlertsFile
from monitoring.alerts.channels.secrets import SecretFolder
from monitoring.alerts.delivery_store import DeliveryFilter, DeliveryState, StoredDelivery
from monitoring.alerts.planning import Planner
from monitoring.alerts.sending import ChannelSender, SenderThreads, send_test
from monitoring.settings import MonitorSettings


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """A channel without its secrets: its type, and how many deliveries are in each state.

    `type` is None where the configuration has no such channel any more.
    """

    name: str
    type: str | None
    deliveries: dict[DeliveryState, int]


@dataclass(frozen=True, slots=True)
class ChannelTest:
    """Whether a channel took a test message, or why not."""

    channel: str
    number: int
    state: DeliveryState
    problem: str | None


@dataclass(frozen=True, slots=True)
class AlertService:
    """The channels of the configuration, and their deliveries."""

    engine: Engine
    file: AlertsFile
    secrets: SecretFolder
    clock: Clock
    public_url: str = ""

    @classmethod
    def of_settings(cls, settings: MonitorSettings, engine: Engine, clock: Clock) -> Self:
        """Return the channels that the settings name.

        Raises:
            InvalidInput: the file of channels and routes, or the folder of secrets, cannot be used.
        """
        secrets = SecretFolder.of_settings(settings)
        return cls(engine, AlertsFile(settings.alerts), secrets, clock, settings.public_url.rstrip("/"))

    def planner(self) -> Planner:
        """Return the planner of deliveries by the present configuration."""
        return Planner(self.file.current(), self.public_url)

    def channels(self) -> list[ChannelStatus]:
        """Return the channels of the configuration, then others that still have deliveries."""
        with translated(), self.engine.connect() as connection:
            counts = delivery_store.counts(connection)
        types = {name: str(channel.type) for name, channel in self.file.current().channels.items()}
        names = [*types, *sorted(counts.keys() - types.keys())]
        none = dict.fromkeys(DeliveryState, 0)
        return [ChannelStatus(name, types.get(name), counts.get(name, none)) for name in names]

    def deliveries(self, criteria: DeliveryFilter) -> list[StoredDelivery]:
        """Return the deliveries that match a filter, the newest first."""
        with translated(), self.engine.connect() as connection:
            return delivery_store.find_deliveries(connection, criteria)

    def test(self, name: str) -> ChannelTest:
        """Send a test message on a channel now, with a single attempt.

        Raises:
            NotFound: no such channel.
        """
        configuration = self.file.current()
        channel = configuration.channel(name)
        sender = ChannelSender(self.engine, name, channel, self.secrets, configuration.attempts)
        return ChannelTest(name, *send_test(self.engine, name, sender, self.clock))

    def retry(self, number: int) -> None:
        """Make a dead letter due again.

        Raises:
            NotFound: no such delivery. Conflict: it is not a dead letter.
        """
        now = self.clock()
        in_transaction(self.engine, lambda connection: delivery_store.retry(connection, number, now))

    def send_due(self) -> None:
        """Send the due deliveries of every channel, one after the other; failed ones are tried again later.

        Raises:
            DatabaseUnavailable: unsent deliveries stay pending.
        """
        configuration = self.file.current()
        for name, channel in configuration.channels.items():
            sender = ChannelSender(self.engine, name, channel, self.secrets, configuration.attempts)
            while sender.send_due(self.clock):
                pass

    def start_sending(self) -> SenderThreads:
        """Start a thread for each channel."""
        threads = SenderThreads(self.engine, self.file, self.secrets, self.clock)
        threads.start()
        return threads
