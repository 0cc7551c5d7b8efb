"""Lineage of ingested batches: each is a run of the job that ingests batches of its kind for its model."""

from functools import partial

from sqlalchemy import Connection

from driftline.errors import DriftlineError
from driftline.ingest.target import Target
from driftline.lineage import runs
from driftline.lineage.datasets import Dataset, fields_of, labels_of, predictions_of
from driftline.store.database import after_commit
from driftline.store.ledger import BatchKind
from driftline.store.sources.ingest_log import IngestEntry


def record_stored(connection: Connection, target: Target, entry: IngestEntry) -> None:
    """Record a batch once its transaction is committed; one that changed nothing is not recorded."""
    if runs.is_recording() and (entry.rows_new or entry.rows_changed):
        facts: dict[str, runs.Fact | None] = {
            "model_version": target.version,
            "spec_revision": target.revision,
            "batch": entry.batch_id,
            "rows_sent": entry.rows_sent,
            "rows_new": entry.rows_new,
            "rows_same": entry.rows_same,
            "rows_changed": entry.rows_changed,
        }
        outputs = [_written(target, entry)]
        after_commit(connection, partial(_record, target.name, entry, facts, outputs))


def record_refused(connection: Connection, model: str, entry: IngestEntry, error: DriftlineError) -> None:
    """Record a refused batch as a failed run, once its log entry is committed."""
    if runs.is_recording():
        after_commit(connection, partial(_record, model, entry, {}, [], error=type(error).__name__))


def _record(
    model: str, entry: IngestEntry, facts: dict[str, runs.Fact | None], outputs: list[Dataset], error: str | None = None
) -> None:
    source = runs.source()
    runs.record(
        f"ingest.{model}.{entry.kind}",
        entry.received_at,
        inputs=[] if source is None else [source],
        outputs=outputs,
        facts={"model": model, "sent_by": entry.caller, "format": entry.format, **facts},
        error=error,
    )


def _written(target: Target, entry: IngestEntry) -> Dataset:
    """Return the dataset that a batch changed, with the number of new and changed rows."""
    rows = (entry.rows_new or 0) + (entry.rows_changed or 0)
    if entry.kind == BatchKind.LABELS:
        return labels_of(target.name, rows=rows, version=entry.batch_id)
    fields = fields_of(target.store.schema.all)
    return predictions_of(target.name, fields, rows=rows, version=entry.batch_id)
