"""Sends scheduled reports by e-mail, on channels of the alerts file and to what their routes take."""

import logging
from collections.abc import Sequence

from driftline.errors import DriftlineError
from driftline.store.database import translated
from driftline.store.model_numbers import model_number
from driftline.store.versions.owners import owner_of
from monitoring.alerts.channels.mail import MailChannel
from monitoring.alerts.service import AlertService
from monitoring.report.files.report_file import ReportFile

log = logging.getLogger(__name__)
ATTEMPTS = 2


class ReportMail:
    """Sends the report of a model on some channels, each one that has a route for the model or its owner.

    A failed message is tried once more, and logged; the report itself is in the object store.
    """

    def __init__(self, alert_service: AlertService, channels: Sequence[str]) -> None:
        """Store the channels by name; they are looked up for each report, since the file may change."""
        self._alert_service, self._channels = alert_service, channels

    def send(self, model: str, day: str, files: Sequence[ReportFile]) -> None:
        """Send the files of a model's report; what fails is logged."""
        for name in self._channels:
            try:
                channel = self._alert_service.file.current().channel(name)
                if not isinstance(channel, MailChannel):
                    log.error("Channel %s takes no reports, only e-mail does; correct MONITOR_REPORT_CHANNELS.", name)
                elif self._alert_service.file.current().routes_model(name, model, self._owner(model)):
                    self._send(channel, model, day, files)
                    log.info("Channel %s took the report on %s.", name, model)
            except DriftlineError as error:
                log.error("The report on %s was not sent on channel %s: %s", model, name, error.message)

    def _send(self, channel: MailChannel, model: str, day: str, files: Sequence[ReportFile]) -> None:
        subject = f"Driftline: report on {model}, {day}"
        body = f"The report on {model} of {day} is attached: {', '.join(file.name for file in files)}."
        for attempt in range(1, ATTEMPTS + 1):
            try:
                channel.send_files(subject, body, files, self._alert_service.secrets)
            except DriftlineError:
                if attempt == ATTEMPTS:
                    raise
            else:
                return

    def _owner(self, model: str) -> str | None:
        with translated(), self._alert_service.engine.connect() as connection:
            return owner_of(connection, model_number(connection, model))
