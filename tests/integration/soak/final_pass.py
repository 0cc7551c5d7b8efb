"""One pass over the final data of a model, and what the monitor says about both: it must be the same."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Engine, select

from driftline.clock import utc_now
from driftline.objects import ObjectStore
from driftline.store.database import in_transaction
from driftline.store.rows import labels as label_store
from driftline.store.tables import chunk_revisions, labels, pending_chunks, results, verdicts
from driftline.store.version_key import VersionKey
from driftline.store.versions import registry
from driftline.store.versions.references import read_reference
from monitoring.poll.poller import poll_once
from tests.integration.soak.schedule import FIRST

OF_REVISION = (
    "chunk_end",
    "closed",
    "rows_seen",
    "rows_labelled",
    "labels_as_of",
    "drift_lasts",
    "evidence",
    "detector",
)
OF_VERDICT = ("closed", "state", "provisional", "reasons", "drifted")
NOT_COMPARED = {"model_number", "revision"}

StoredResults = dict[str, dict[tuple[Any, ...], Any]]


def rows_of_version(engine: Engine, version: registry.Version) -> pd.DataFrame:
    """Return all predictions of a version."""
    with engine.connect() as connection:
        return version.store.read(connection, version.number, FIRST - timedelta(days=9), FIRST + timedelta(days=60))


def in_one_pass(engine: Engine, objects: ObjectStore, name: str, versions: list[registry.Version]) -> int:
    """Register a model with the same versions, store the final rows and labels of another at once, and poll.

    They are stored in one transaction, so that a poll of another process sees all or nothing. Return the number of the
    model.
    """
    for version in versions:
        reference = read_reference(version.reference_uri)
        candidate = registry.Candidate(
            name, version.spec, f"{version.number}", reference, None, {}, fitted=version.fitted
        )
        assert registry.register(engine, candidate, objects, utc_now()) == version.number
    registered = registry.load(engine, name)
    frames = [rows_of_version(engine, version)[list(registered.store.columns)] for version in versions]
    labels = labels_of(engine, versions[0].model_number)
    rows = [(row_id, value, at) for row_id, (at, value) in labels.items()]

    def write(connection: Connection) -> None:
        for number, frame in enumerate(frames, start=1):
            registered.store.write(connection, f"{name}/{number}", frame, utc_now())
        if rows:
            frame = pd.DataFrame(rows, columns=["id", "value", "known_at"])
            label_store.write_batch(connection, f"{name}/labels", registered.model_number, frame, utc_now())

    in_transaction(engine, write)
    poll_once(engine, utc_now(), scheduled=False)
    return registered.model_number


def labels_of(engine: Engine, model_number: int) -> dict[str, tuple[datetime, int]]:
    """Return the stored labels of a model by id."""
    columns = select(labels.c.id, labels.c.known_at, labels.c.value).where(labels.c.model_number == model_number)
    with engine.connect() as connection:
        return {name: (at.replace(tzinfo=FIRST.tzinfo), int(value)) for name, at, value in connection.execute(columns)}


def stored_results(engine: Engine, version: VersionKey) -> StoredResults:
    """Return what is current of a version: revisions, results and verdicts of chunks with rows, and pending chunks."""
    with engine.connect() as connection:
        found = {
            table.name: connection.execute(select(table).where(version.rows_of(table))).mappings().all()
            for table in (chunk_revisions, results, verdicts, pending_chunks)
        }
    revisions = {row["chunk_start"]: row for row in found["chunk_revisions"] if row["current"] and row["rows_seen"]}
    numbers = {start: row["revision"] for start, row in revisions.items()}
    current = [row for row in found["results"] if numbers.get(row["chunk_start"]) == row["revision"]]
    return {
        "revisions": {(start,): tuple(row[name] for name in OF_REVISION) for start, row in revisions.items()},
        "results": {_key(row): _values(row) for row in current},
        "verdicts": {
            (row["chunk_start"],): tuple(row[name] for name in OF_VERDICT)
            for row in found["verdicts"]
            if row["current"] and row["chunk_start"] in numbers
        },
        "pending": {(row["chunk_start"],): row["due_at"] for row in found["pending_chunks"]},
    }


def _key(row: Any) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("chunk_start", "subject_kind", "subject", "segment", "kind", "method"))


def _values(row: Any) -> tuple[Any, ...]:
    key = {"chunk_start", "subject_kind", "subject", "segment", "kind", "method"}
    return tuple(value for name, value in row.items() if name not in key | NOT_COMPARED | {"model_version"})


def differences(stored: StoredResults, expected: StoredResults) -> Iterator[str]:
    """Yield what is not the same."""
    for name, values in expected.items():
        keys = stored[name].keys() | values.keys()
        differing = [key for key in keys if stored[name].get(key) != values.get(key)]
        if differing:
            first = min(differing, key=str)
            yield (
                f"{len(differing)} of {len(keys)} {name} differ, first {first}: {stored[name].get(first)}; "
                f"in one pass {values.get(first)}"
            )
