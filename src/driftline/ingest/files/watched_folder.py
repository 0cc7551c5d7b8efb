"""Watches a folder or a bucket prefix, and ingests each file that appears in it once."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import file_digest, sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

from driftline.backtesting.input.sources.sources import kind_of
from driftline.errors import InvalidInput
from driftline.ingest.files.file_batches import ENDINGS
from driftline.ingest.files.file_ingestion import FileCounts, FileIngestion
from driftline.ingest.ingestion import REFUSALS
from driftline.objects import ObjectMissing, ObjectReplaced, ObjectStore
from driftline.store.database import in_transaction, translated
from driftline.store.ledger import BatchKind
from driftline.store.sources import watched_files
from driftline.store.sources.ingest_log import IngestState
from driftline.store.sources.watched_files import LONGEST_ADDRESS, WatchedFile
from driftline.worker import Retries, repeat

log = logging.getLogger(__name__)

HIDDEN = (".", "_")
"""How names begin that programs give to files and folders that are not complete, or not data."""
RECORD_RETENTION = timedelta(days=30)
"""How long after it was read a file is known that is no longer in the folder."""
LONGEST_PAUSE = 60.0
"""Seconds to wait at most after failures; each further failure doubles the pause."""


class Stopped(Exception):
    """The process is to end, between two batches of a file."""


@dataclass(frozen=True, slots=True)
class FolderScan:
    """The outcome of one scan: how many files were stored and refused, and how many were left for the next scan."""

    stored: int = 0
    refused: int = 0
    remaining: int = 0


@dataclass
class WatchedFolder:
    """Ingests the files of a folder or bucket prefix, in the order of their names, each version of a file once.

    A file of a folder is read when two scans have found it unchanged; an object of a bucket is always complete.
    The outcome of a file is recorded after its last batch: a file that a process did not finish is read again, and the
    ledger ignores the rows that are already stored. A refused file is read again when it changes.
    """

    store: ObjectStore
    files: FileIngestion
    stop: Event
    _listed: Mapping[str, str] = field(init=False, default_factory=dict)
    _failed: dict[str, str] = field(init=False, default_factory=dict)
    _last: FolderScan | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Raise InvalidInput where the folder does not exist."""
        if self.store.folder and not self.store.folder.is_dir():
            raise InvalidInput(f"There is no folder {self.store.folder}; create it, or correct the path.")

    def run(self, every: float) -> None:
        """Scan the folder every so many seconds until `stop` is set; while a server fails, wait and try again.

        Raises:
            NotFound: no such model or version.
        """
        repeat(self.scan, every, self.stop, Retries(2 * every, max(LONGEST_PAUSE, every)))

    def scan(self) -> FolderScan:
        """List the files once, and ingest those that are new or changed and complete.

        Raises:
            NotFound: no such model or version. Unavailable: the database or the store does not answer.
        """
        versions = {key: version for key, version in self.store.versions().items() if is_data(key)}
        if self._last is None or self._last.remaining or versions != self._listed:
            self._last = self._read(versions)
            self._listed = versions
        else:
            self._last = FolderScan()
        return self._last

    def _read(self, versions: Mapping[str, str]) -> FolderScan:
        """Ingest the files that are new or changed, and forget those that were removed."""
        records = self._recorded()
        changed = {key: version for key, version in versions.items() if self._is_changed(key, version, records)}
        complete = [key for key in changed if self.store.folder is None or self._listed.get(key) == changed[key]]
        states: list[IngestState | None] = []
        try:
            for key in complete:
                states.append(self._read_file(key, changed[key], records.get(self.store.at(key))))
        except Stopped:
            log.info("Stopped; the file will be read again.")
        self._forget(records.keys() - {self.store.at(key) for key in versions})
        stored, refused = states.count(IngestState.STORED), states.count(IngestState.REFUSED)
        return FolderScan(stored, refused, len(changed) - stored - refused)

    def _recorded(self) -> Mapping[str, WatchedFile]:
        """Return the files that were read before, by address."""
        with translated(), self.files.ingestion.engine.connect() as connection:
            return watched_files.read(connection, self._model_number, self.files.kind)

    def _forget(self, absent: Iterable[str]) -> None:
        """Delete the records of files that were removed from the folder long ago.

        One that comes back is read again, and the ledger ignores its rows.
        """
        folder = f"{self.store.address.rstrip('/')}/"
        addresses = [address for address in absent if address.startswith(folder)]
        if not addresses:
            return
        number, kind, until = self._model_number, self.files.kind, self.files.ingestion.clock() - RECORD_RETENTION
        in_transaction(
            self.files.ingestion.engine,
            lambda connection: watched_files.forget(connection, number, kind, addresses, until),
        )

    @property
    def _model_number(self) -> int:
        return self.files.ingestion.targets.of(self.files.model, self.files.version).model_number

    def _is_changed(self, key: str, version: str, records: Mapping[str, WatchedFile]) -> bool:
        file = records.get(self.store.at(key))
        return (file is None or file.file_version != version) and self._failed.get(key) != version

    def _read_file(self, key: str, version: str, previous: WatchedFile | None) -> IngestState | None:
        """Ingest a file and record its outcome; return None if it is left for the next scan.

        A file that fails in another way than by its rows is logged, and read again by the next process.
        """
        if self.stop.is_set():
            raise Stopped
        address = self.store.at(key)
        try:
            _require_storable(address)
            with TemporaryDirectory(prefix="driftline-watch-") as folder:
                copy = Path(folder) / Path(key).name
                if not self._fetch(key, version, copy):
                    return None
                file = self._ingest(key, copy, WatchedFile(address, version, _content_hash(copy)), previous)
        except (OSError, InvalidInput) as error:
            log.warning("%s cannot be read: %s", key, error)
            self._failed[key] = version
            return IngestState.REFUSED
        self._record(file)
        return file.state

    def _fetch(self, key: str, version: str, copy: Path) -> bool:
        """Copy a file; return whether the copy is of this version."""
        try:
            self.store.fetch(key, copy)
            return self.store.versions(key)[key] == version
        except (ObjectMissing, ObjectReplaced):
            return False

    def _ingest(self, key: str, copy: Path, file: WatchedFile, previous: WatchedFile | None) -> WatchedFile:
        """Store the rows of a file, unless its content is stored already; return its record."""
        if previous and previous.state is IngestState.STORED and previous.content_hash == file.content_hash:
            return replace(file, rows_sent=previous.rows_sent)

        def progress(counts: FileCounts) -> None:
            log.info("%s: %s so far", key, counts)
            if self.stop.is_set():
                raise Stopped

        try:
            batch_key = self._batch_key(file)
            counts = self.files.store(copy, progress, name=key, key=batch_key, address=self.store.at(key))
        except REFUSALS as error:
            log.warning("Refused: %s", error)
            return replace(file, state=IngestState.REFUSED, reason=str(error))
        log.info("%s: %s", key, counts)
        return replace(file, rows_sent=counts.rows)

    def _batch_key(self, file: WatchedFile) -> str | None:
        """Return the key of a file's batches: a label or a correction may change, and change back in a later file."""
        if self.files.kind is BatchKind.PREDICTIONS:
            return None
        parts = "/".join((file.address, file.file_version, file.content_hash))
        return f"file/{sha256(parts.encode()).hexdigest()}"

    def _record(self, file: WatchedFile) -> None:
        number, kind, now = self._model_number, self.files.kind, self.files.ingestion.clock()
        in_transaction(
            self.files.ingestion.engine,
            lambda connection: watched_files.record(connection, number, kind, file, now),
        )


def is_data(key: str) -> bool:
    """Return whether a file is read, by its name: others are hidden, temporary, or of another format."""
    parts = key.split("/")
    return all(part and not part.startswith(HIDDEN) for part in parts) and kind_of(Path(key)) in ENDINGS


def _require_storable(address: str) -> None:
    if len(address) > LONGEST_ADDRESS or address != address.encode(errors="replace").decode():
        raise InvalidInput(f"An address has at most {LONGEST_ADDRESS:,} characters, all of UTF-8; rename it.")


def _content_hash(file: Path) -> str:
    with file.open("rb") as content:
        return file_digest(content, "sha256").hexdigest()
