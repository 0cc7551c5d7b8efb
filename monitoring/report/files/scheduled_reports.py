"""Scheduled reports: at the times of a cron expression, one file for each model and format in the object store."""

import logging
from collections.abc import Callable, Iterable, Sequence

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from driftline.clock import Clock
from driftline.errors import DriftlineError
from driftline.objects import ObjectStore
from driftline.report.document.content import ReportContent
from driftline.report.document.formats import FORMATS
from monitoring.report.files.report_file import ReportFile

log = logging.getLogger(__name__)
FOLDER = "reports"


class ScheduledReports:
    """Writes the reports of all models; `names` returns the models, and `read` the content of a model's report.

    `send` takes the name of a model, the day and the files of its report, to send them too.
    """

    def __init__(
        self,
        output: ObjectStore,
        endings: Sequence[str],
        names: Callable[[], Iterable[str]],
        read: Callable[[str], ReportContent],
        clock: Clock,
        send: Callable[[str, str, Sequence[ReportFile]], None] | None = None,
    ) -> None:
        """Store where reports go, their formats by ending, and what reads and sends them."""
        self._send = send
        self._output, self._endings, self._names, self._read, self._clock = output, endings, names, read, clock

    def schedule(self, scheduler: BackgroundScheduler, cron: str) -> None:
        """Write reports at the times of a cron expression in UTC: one run at a time, missed ones merged into one."""
        trigger = CronTrigger.from_crontab(cron, timezone="UTC")
        scheduler.add_job(self.write, trigger, max_instances=1, coalesce=True, misfire_grace_time=None)

    def write(self) -> None:
        """Write `reports/DAY/NAME.ENDING` for each model and format; what fails is logged and delays no other."""
        day = f"{self._clock():%Y-%m-%d}"
        try:
            names = list(self._names())
        except DriftlineError as error:
            log.warning("No reports were written: %s", error)
            return
        for name in names:
            self._write_model(name, day)

    def _write_model(self, name: str, day: str) -> None:
        """Write the report of a model in every format and send it; log a failure, so that other models follow."""
        try:
            content = self._read(name)
            files = []
            for ending in self._endings:
                row = FORMATS[ending]
                file = ReportFile(f"{name}.{ending}", row.media_type, row.write(content))
                self._output.put(f"{FOLDER}/{day}/{file.name}", file.content)
                files.append(file)
        except DriftlineError as error:
            log.warning("The report of %s was not written: %s", name, error)
            return
        if self._send is not None:
            self._send(name, day, files)
