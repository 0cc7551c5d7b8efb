"""Lineage of polls: the poll of each version that computed chunks is recorded as a run with its inputs and outputs."""

import json
import logging
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine, select

from driftline.errors import DriftlineError
from driftline.lineage import runs
from driftline.lineage.datasets import labels_of, predictions_of, reference_of, results_of
from driftline.lineage.runs import MOST_NAMES
from driftline.store.database import translated
from driftline.store.tables import ledger, model_versions
from driftline.store.version_key import VersionKey
from driftline.tracking.training_runs import run_id_of
from monitoring.poll.outcomes import VersionPoll
from monitoring.poll.results.revisions import Revision, RevisionStore

log = logging.getLogger(__name__)
FAILURE = "ChunkFailed"


def record_poll_runs(engine: Engine, polls: Sequence[VersionPoll], began: datetime) -> None:
    """Record the polls that computed something or failed; where they cannot be described, log that and go on."""
    if not runs.is_recording():
        return
    try:
        with translated(), engine.connect() as connection:
            for poll in polls:
                _record(connection, poll, began)
    except DriftlineError as error:
        log.warning("The lineage of a poll is incomplete: %s", error.message)


def _record(connection: Connection, poll: VersionPoll, began: datetime) -> None:
    """Record one version's poll by the current revisions of the chunks that it computed."""
    failed = sum(outcome.failure is not None for outcome in poll.outcomes)
    revisions = _computed(connection, poll)
    if not revisions and not failed:
        return
    facts: dict[str, runs.Fact | None] = {
        "model": poll.name,
        "model_version": poll.key.version,
        "mlflow_run": _mlflow_run(connection, poll.key),
        "chunks": [f"{revision.chunk.start.isoformat()} revision {revision.number}" for revision in revisions],
        "chunks_failed": failed,
        "verdicts_changed": sum(outcome.verdicts for outcome in poll.outcomes),
    }
    if not revisions:
        runs.record(f"poll.{poll.name}", began, facts=facts, error=FAILURE)
        return
    newest = revisions[-1].provenance
    facts |= {
        "spec_revision": newest.spec_revision,
        "code_version": newest.code_version,
        "batches": _batch_ids(connection, revisions),
    }
    inputs = (
        predictions_of(poll.name, rows=sum(revision.rows for revision in revisions)),
        labels_of(poll.name, rows=sum(revision.labelled for revision in revisions)),
        reference_of(poll.name, newest.reference_hash),
    )
    runs.record(f"poll.{poll.name}", began, inputs=inputs, outputs=[results_of(poll.name)], facts=facts)


def _computed(connection: Connection, poll: VersionPoll) -> list[Revision]:
    """Return the revisions of the chunks that a poll computed, oldest first."""
    starts = {outcome.start for outcome in poll.outcomes if outcome.computed}
    if not starts:
        return []
    stored = RevisionStore(poll.key).between(connection, min(starts), max(starts))
    return [stored[start] for start in sorted(starts & stored.keys())]


def _batch_ids(connection: Connection, revisions: Sequence[Revision]) -> list[str]:
    """Return the ids of the batches of some revisions, the newest first, and the numbers of those beyond the limit."""
    numbers = sorted({number for revision in revisions for number in revision.provenance.batches}, reverse=True)
    read = select(ledger.c.number, ledger.c.batch_id).where(ledger.c.number.in_(numbers[:MOST_NAMES]))
    ids = {int(number): str(batch_id) for number, batch_id in connection.execute(read)}
    return [ids.get(number, str(number)) for number in numbers]


def _mlflow_run(connection: Connection, key: VersionKey) -> str | None:
    """Return the run of MLflow in which a version was trained; None where it is not known."""
    columns = model_versions.c
    version = (columns.model_number == key.model_number, columns.version == key.version)
    details = connection.execute(select(columns.details).where(*version)).scalar()
    return run_id_of(json.loads(details)) if details else None
