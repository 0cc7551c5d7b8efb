"""Keeps the reports current: after a poll, those of the models that changed are written again, no others are read."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from driftline.errors import NotFound, Unavailable
from driftline.objects import ObjectStore
from monitoring.report.chunk_views import ModelStatus
from monitoring.report.files import reports

log = logging.getLogger(__name__)
REPORTED_CHUNKS = 400
"""The most chunks of a model in the reports, so that their cost does not grow with the history."""
ALL_REPORTED_CHUNKS = 4_000
"""About how many chunks of all models together are in the reports: with many models, fewer of each."""
FEWEST_CHUNKS = 7


@dataclass(frozen=True, slots=True)
class ReportedVersion:
    """The version of a model that is reported, and when a process stored results of it last."""

    version: int
    results_at: datetime | None


class CurrentReports:
    """The reports of the version of each model that is used, in an object store, which nobody else writes."""

    def __init__(self, output: ObjectStore, read: Callable[[str, int], ModelStatus]) -> None:
        """Take where reports go, and what reads the newest chunks of a model, so many at most."""
        self._output, self._read = output, read
        self._reported: dict[str, ReportedVersion] | None = None

    @contextmanager
    def renew(self, newest_versions: Callable[[], dict[str, ReportedVersion]]) -> Iterator[set[str]]:
        """Write the reports of the models that have other results than those reported, or are added to the set.

        The set is filled within the block; `newest_versions` returns by name what is to be reported after it. If the
        block fails, or the reports cannot be written, all of them are written the next time.
        """
        reported, self._reported = self._reported, None
        changed: set[str] = set()
        yield changed
        newest = newest_versions()
        try:
            if reported is None or not reports.exist(self._output):
                reports.write(self._output, self._statuses(newest, len(newest)))
            elif reported != newest or changed & newest.keys():
                self._renew(reported, newest, changed)
        except Unavailable as error:
            log.warning("Cannot write the reports to %s: %s", self._output.address, error)
        else:
            self._reported = newest

    def _renew(
        self, reported: Mapping[str, ReportedVersion], newest: Mapping[str, ReportedVersion], changed: set[str]
    ) -> None:
        """Write the reports of models that changed; remove those of models that are gone."""
        unchanged = {name for name, version in newest.items() if name not in changed and reported.get(name) == version}
        changed_names = [name for name in newest if name not in unchanged]
        reports.write(self._output, self._statuses(changed_names, len(newest)), unchanged)
        for name in reported.keys() - newest.keys():
            reports.delete_files(self._output, name)

    def _statuses(self, names: Iterable[str], models: int) -> Iterator[reports.Reported]:
        """Yield the newest chunks of models that have any."""
        most = max(FEWEST_CHUNKS, min(REPORTED_CHUNKS, ALL_REPORTED_CHUNKS // max(models, 1)))
        for name in names:
            try:
                status = self._read(name, most)
            except NotFound:  # it was removed or retired meanwhile
                continue
            if status.chunks:
                yield status.version, status.chunks
