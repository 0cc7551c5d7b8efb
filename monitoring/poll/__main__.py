"""Poll without serving: `python -m monitoring.poll [--once]`. Any number of such processes share the work."""

import argparse
import logging
from functools import partial
from threading import Event

from sqlalchemy import Engine

from driftline import clock, logs
from driftline.errors import DriftlineError
from driftline.store import migrate
from driftline.worker import Retries, repeat, stop_on_signals
from monitoring.incidents.update import update_incidents
from monitoring.poll.poller import PollSummary, poll_once
from monitoring.settings import MonitorSettings

log = logging.getLogger("monitoring.poll")


def main() -> None:
    """Poll until interrupted; report an invalid setting in one message and exit with status 2."""
    parser = argparse.ArgumentParser(prog="python -m monitoring.poll", description=__doc__)
    parser.add_argument("--once", action="store_true", help="compute what is due, and end")
    options = parser.parse_args()
    logs.configure("poller")
    stop = stop_on_signals()
    try:
        settings, engine = MonitorSettings(), migrate.current_engine()
        if options.once:
            poll(engine, stop)
        else:
            repeat(partial(poll, engine, stop), settings.poll_seconds, stop, Retries())
    except DriftlineError as error:
        log.error("%s", error)
        raise SystemExit(2) from error


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


if __name__ == "__main__":
    main()
