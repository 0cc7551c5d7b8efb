"""The schedule of the archive: the monitor runs it in the background, beside its polls."""

import logging

from apscheduler.schedulers.background import BackgroundScheduler

from driftline.errors import DriftlineError
from driftline.store.archive.report import summary_lines
from driftline.store.archive.run import Archive, ArchiveSummary

log = logging.getLogger(__name__)


def archive_every(scheduler: BackgroundScheduler, archive: Archive, minutes: float) -> None:
    """Add the archive run to a scheduler: one at a time, missed ones merged into one; a failed one is only logged."""

    def run() -> None:
        try:
            summary = archive.run()
        except DriftlineError as error:
            log.warning("The archive run failed: %s", error)
            return
        if summary != ArchiveSummary():
            log.info("Archive: %s", "; ".join(summary_lines(summary)))

    scheduler.add_job(run, "interval", minutes=minutes, max_instances=1, coalesce=True, misfire_grace_time=None)
