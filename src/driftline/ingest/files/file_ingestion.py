"""Ingests whole files, batch by batch."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from driftline.backtesting.options import command_option
from driftline.errors import DriftlineError
from driftline.ingest.files.file_batches import contents_of, format_of_file
from driftline.ingest.ingestion import REFUSALS, Ingestion, Receipt, Sent
from driftline.ingest.rows.content import Content
from driftline.ingest.rows.layouts import IngestLayout
from driftline.lineage.datasets import object_dataset
from driftline.lineage.runs import ingesting
from driftline.store.database import in_transaction
from driftline.store.ledger import BatchKind

Progress = Callable[["FileCounts"], None]
"""What is called with the counts after each batch."""


@dataclass
class FileCounts:
    """How many rows of a file are stored so far: all, new, stored before, and changed."""

    rows: int = 0
    new: int = 0
    same: int = 0
    changed: int = 0

    def add(self, receipt: Receipt) -> None:
        """Add the rows of a batch."""
        self.rows += receipt.rows
        self.new += receipt.new
        self.same += receipt.same
        self.changed += receipt.changed

    def __str__(self) -> str:
        """Return the counts as the command shows them."""
        return f"{self.rows:,} rows, {self.new:,} new, {self.same:,} same, {self.changed:,} changed"


@dataclass(frozen=True)
class FileIngestion:
    """Ingests files of one kind (predictions, labels or corrections) for one model; messages spell options as flags.

    `words` are further words for a missing value, `caller` is the name of the program in the log.
    """

    ingestion: Ingestion
    model: str
    kind: BatchKind = BatchKind.PREDICTIONS
    version: int | None = None
    words: Collection[str] = ()
    caller: str = "driftline ingest"

    def store(
        self,
        file: Path,
        progress: Progress,
        *,
        name: str | None = None,
        key: str | None = None,
        address: str | None = None,
    ) -> FileCounts:
        """Store the batches of a file and return how many rows there were.

        `name` is the file's in messages, and `address` in lineage, both by default its path. Batches are named by `key`
        and the number of the rows before them, by default by their content.

        Raises:
            NotFound: no such model or version.
            InvalidInput, Conflict, TooMuchContent: a batch is refused; the message says how many rows are stored.
            Unavailable: the database does not answer.
        """
        with ingesting(object_dataset(address or str(file))):
            return self._store(file, progress, name, key)

    def _store(self, file: Path, progress: Progress, name: str | None, key: str | None) -> FileCounts:
        """Store the batches of a file, one after the other."""
        counts = FileCounts()
        for content in self._contents(file, name):
            if content.rows_before == 0:
                counts = FileCounts()
            try:
                counts.add(self._write(content, key))
            except REFUSALS as error:
                stored = f"{counts.rows:,} rows before them are stored"
                raise error.reworded(f"{name or file}: {error.message} ({stored})") from error
            progress(counts)
        return counts

    def _contents(self, file: Path, name: str | None) -> Iterator[Content]:
        """Yield the batches of a file; where it cannot be read, log that if it has another name than its path."""
        try:
            yield from contents_of(file, self._layout, labels=self.kind is BatchKind.LABELS)
        except REFUSALS as error:
            if name is None:
                raise
            renamed = error.reworded(error.message.replace(str(file), name))
            self._log_refusal(file, renamed)
            raise renamed from error

    @property
    def _layout(self) -> IngestLayout:
        return self.ingestion.targets.of(self.model, self.version).flat.with_words(self.words, command_option)

    def _write(self, content: Content, key: str | None) -> Receipt:
        batch_key = None if key is None else f"{key}/{content.rows_before}"
        store = {
            BatchKind.PREDICTIONS: self.ingestion.predictions,
            BatchKind.LABELS: self.ingestion.labels,
            BatchKind.CORRECTION: self.ingestion.corrections,
        }[self.kind]
        return store(self.model, self._sent(content, batch_key))

    def _sent(self, content: Content, key: str | None = None) -> Sent:
        return Sent(content, key, self.version, self.words, self.caller, command_option)

    def _log_refusal(self, file: Path, error: DriftlineError) -> None:
        """Log that a file cannot be read."""
        content = Content(b"", format_of_file(file), file.stat().st_size)
        sent, kind = self._sent(content), self.kind
        in_transaction(
            self.ingestion.engine,
            lambda connection: self.ingestion.log_refusal(connection, self.model, sent, kind, error),
        )
