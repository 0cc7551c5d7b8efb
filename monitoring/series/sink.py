"""Sends the closed chunks that are new or changed, each at least once, and remembers what was sent."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from threading import Event, Thread

from sqlalchemy import Connection, Engine, select

from driftline.clock import aware_utc
from driftline.store.database import in_transaction, translated
from driftline.store.tables import model_versions, models
from driftline.store.version_key import VersionKey
from driftline.worker import Retries, repeat
from monitoring.poll.results.revisions import RevisionStore
from monitoring.series import sent_chunks
from monitoring.series.line_protocol import line_of
from monitoring.series.points import SeriesChunk, points_of
from monitoring.series.receiver import LineReceiver, SeriesRefused
from monitoring.series.sent_chunks import ChunkState

log = logging.getLogger(__name__)

CHUNKS_AT_ONCE = 20
"""How many chunks are marked as sent together."""
LINES_AT_ONCE = 5_000
"""How many lines a request has at most."""
LONGEST_PAUSE = 300.0
"""Seconds to wait at most while the database is away."""


@dataclass
class SeriesSink:
    """Sends the chunks of all models; a second one, of another monitor, sends the same points again.

    What was sent is in MySQL, chunk by chunk; `_sent_results_at` saves comparing it for versions without new results.
    """

    engine: Engine
    receiver: LineReceiver
    _sent_results_at: dict[VersionKey, datetime] = field(init=False, default_factory=dict)

    def send_due(self, stop: Event | None = None) -> int:
        """Send every closed chunk that was not sent in its present state; return how many there were.

        Raises:
            Unavailable: the time series database, or MySQL, does not answer; chunks that were not sent stay due.
        """
        sent = 0
        for name, key, results_at in self._versions_with_news():
            while states := self._changed(key):
                if stop is not None and stop.is_set():
                    return sent
                sent += self._send(name, key, states)
            self._sent_results_at[key] = results_at
        return sent

    def start(self, every: float) -> Event:
        """Send every so many seconds in the background, until the event that is returned is set."""
        stop = Event()
        retries = Retries(longest_pause=LONGEST_PAUSE, subject="Time series: ")
        Thread(
            target=repeat, args=(lambda: self.send_due(stop), every, stop, retries), name="series", daemon=True
        ).start()
        return stop

    def _versions_with_news(self) -> list[tuple[str, VersionKey, datetime]]:
        """Return the versions that have results which this process has not compared with what was sent."""
        columns = (models.c.name, models.c.number, model_versions.c.version, model_versions.c.results_at)
        joined = model_versions.join(models, models.c.number == model_versions.c.model_number)
        rows = select(*columns).select_from(joined).where(model_versions.c.results_at.is_not(None))
        with translated(), self.engine.connect() as connection:
            versions = [
                (name, VersionKey(number, version), at) for name, number, version, at in connection.execute(rows)
            ]
        return [version for version in versions if self._sent_results_at.get(version[1]) != version[2]]

    def _changed(self, key: VersionKey) -> list[ChunkState]:
        with translated(), self.engine.connect() as connection:
            return sent_chunks.changed(connection, key, CHUNKS_AT_ONCE)

    def _send(self, name: str, key: VersionKey, states: list[ChunkState]) -> int:
        """Send chunks, mark them as sent, and return their number; what the database refuses is logged."""
        lines = self._lines(name, key, states)
        while part := list(islice(lines, LINES_AT_ONCE)):
            try:
                self.receiver.write(part)
            except SeriesRefused as error:
                log.error("Time series: points of %s version %d are left out. %s", name, key.version, error.message)
        in_transaction(self.engine, lambda connection: sent_chunks.mark_sent(connection, key, states))
        return len(states)

    def _lines(self, name: str, key: VersionKey, states: list[ChunkState]) -> Iterator[str]:
        """Yield the lines of chunks as they are now, which may be newer than their states: then they are sent again."""
        for state in states:
            with translated(), self.engine.connect() as connection:
                chunk = _read(connection, name, key, state)
            if chunk is not None:
                yield from map(line_of, points_of(chunk))


def _read(connection: Connection, name: str, key: VersionKey, state: ChunkState) -> SeriesChunk | None:
    """Return a chunk with everything that is sent of it; None if another chunk has replaced it meanwhile."""
    start, revisions = aware_utc(state.start), RevisionStore(key)
    revision = revisions.current(connection, start)
    if revision is None or not revision.closed:
        return None
    results = revisions.results_of(connection, start, revision.number)
    return SeriesChunk(name, key.version, revision, results, sent_chunks.events_of(connection, key, state.start))
