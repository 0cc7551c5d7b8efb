"""Polls without serving anything: any number of such processes share the work with one another and the monitor."""

import logging
from functools import partial
from threading import Event

from driftline import clock, spans
from driftline.store import migrate
from driftline.worker import Retries, repeat, stop_on_signals
from monitoring.alerts.planning import plan_alerts
from monitoring.alerts.service import AlertService
from monitoring.incidents.update import update_incidents
from monitoring.poll.outcomes import PollOutcome
from monitoring.poll.poller import poll_once
from monitoring.settings import MonitorSettings

log = logging.getLogger(__name__)


def run(settings: MonitorSettings, *, once: bool) -> None:
    """Poll every so many seconds until interrupted, or once, and send alerts where the settings name channels.

    Raises:
        InvalidInput: a setting is not valid. Unavailable: at the first connection, or where it polls once.
    """
    stop = stop_on_signals()
    alert_service = AlertService.of_settings(settings, migrate.current_engine(), clock.utc_now)
    sends = settings.alerts is not None
    if once:
        poll(alert_service, stop, sends=sends)
        alert_service.send_due()
        return
    senders = alert_service.start_sending() if sends else None
    try:
        repeat(partial(poll, alert_service, stop, sends=sends), settings.poll_seconds, stop, Retries())
    finally:
        if senders is not None:
            senders.stop()


def poll(alert_service: AlertService, stop: Event, *, sends: bool) -> PollOutcome:
    """Poll as scheduled, and take the verdict events into the incidents; end after the present chunk at a stop.

    Alerts are planned only by a process that has channels: what another plans for none would never be sent.

    Raises:
        Unavailable: the database is unavailable, or its schema is not this version's.
    """
    with spans.span("poll run"):
        summary = poll_once(alert_service.engine, clock.utc_now(), scheduled=True, stop=stop)
        update_incidents(alert_service.engine)
        if sends:
            plan_alerts(alert_service.engine, alert_service.planner(), clock.utc_now())
    if summary.has_news:
        counts = (summary.batches, summary.chunks, summary.verdicts, summary.failed, summary.seconds)
        log.info("%d batches, %d chunks computed, %d verdicts changed, %d chunks failed, in %.1f s.", *counts)
    return summary
