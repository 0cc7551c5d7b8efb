"""Polls without serving anything: any number of such processes share the work with one another and the monitor."""

import logging
from functools import partial
from threading import Event

from sqlalchemy import Engine

from driftline import clock
from driftline.store import migrate
from driftline.worker import Retries, repeat, stop_on_signals
from monitoring.incidents.update import update_incidents
from monitoring.poll.poller import PollSummary, poll_once

log = logging.getLogger(__name__)


def run(poll_seconds: float, *, once: bool) -> None:
    """Poll every so many seconds until interrupted, or once.

    Raises:
        InvalidInput: a setting is not valid. Unavailable: at the first connection, or where it polls once.
    """
    stop, engine = stop_on_signals(), migrate.current_engine()
    if once:
        poll(engine, stop)
    else:
        repeat(partial(poll, engine, stop), poll_seconds, stop, Retries())


def poll(engine: Engine, stop: Event) -> PollSummary:
    """Poll as scheduled, and take the verdict events into the incidents; end after the present chunk at a stop.

    Raises:
        Unavailable: the database is unavailable, or its schema is not this version's.
    """
    summary = poll_once(engine, clock.utc_now(), scheduled=True, stop=stop)
    update_incidents(engine)
    if summary.has_news:
        counts = (summary.batches, summary.chunks, summary.verdicts, summary.failed, summary.seconds)
        log.info("%d batches, %d chunks computed, %d verdicts changed, %d chunks failed, in %.1f s.", *counts)
    return summary
