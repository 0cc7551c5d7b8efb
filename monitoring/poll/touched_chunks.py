"""Queues the chunks that a committed batch touched, by the calendar of each version's newest spec revision."""

import logging
from collections.abc import Collection
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, Engine, RowMapping, select

from driftline import spans
from driftline.clock import aware_utc
from driftline.engine.calendar import chunk_at
from driftline.engine.spec import Spec
from driftline.errors import DatabaseBusy
from driftline.store import ledger
from driftline.store.database import in_transaction
from driftline.store.ledger import Consumer
from driftline.store.model_numbers import lock_model
from driftline.store.polling import pending_chunks
from driftline.store.rows.predictions import PredictionStore
from driftline.store.tables import ledger_slots, model_versions, spec_revisions
from driftline.store.version_key import VersionKey
from driftline.store.versions import registry
from monitoring.poll import uncomputed_labels

log = logging.getLogger(__name__)

Specs = dict[int, Spec]


def queue_touched_chunks(engine: Engine) -> int:
    """Replace each pending batch by the pending chunks it touched, in a transaction; return how many batches.

    Where another transaction keeps the rows of a model locked, its batches stay pending until the next poll.
    """
    batches, locked = 0, set[int]()
    while True:
        claimed: list[RowMapping] = []
        try:
            queued = in_transaction(engine, partial(_queue_next_batch, claimed=claimed, locked=locked), lock_waits=1)
        except DatabaseBusy:
            if not claimed or claimed[-1]["model_number"] is None:
                raise
            locked.add(claimed[-1]["model_number"])
            log.warning("Batch %s waits for the next poll: rows of its model are locked.", claimed[-1]["batch_id"])
            continue
        if not queued:
            return batches
        spans.link([claimed[-1]["traceparent"]])
        batches += 1


def _queue_next_batch(connection: Connection, claimed: list[RowMapping], locked: Collection[int]) -> bool:
    """Claim a batch, queue the chunks it touched and settle the claim; return whether there was a batch.

    The batch is added to `claimed` as soon as it is claimed, so that the caller knows it where the transaction fails.
    Batches of the models in `locked` are left pending.
    """
    batch = ledger.claim(connection, Consumer.MONITOR, locked)
    if batch is None:
        return False
    claimed.append(batch)
    poll = spans.traceparent()
    with spans.span("queue chunks of a batch", parent=batch["traceparent"]):
        spans.link([poll])
        if batch["model_number"] is not None:
            _queue_chunks(connection, batch)
        ledger.settle(connection, Consumer.MONITOR, batch["number"])
    return True


def _queue_chunks(connection: Connection, batch: RowMapping) -> None:
    """Queue the chunks that a model's batch touched, for each ready version that it has rows or labels of.

    New labels of a retired version are recorded too: if it is registered again, its summaries do not contain them yet.
    """
    model_number = batch["model_number"]
    _lock_specs(connection, model_number)
    specs, ready = _newest_specs(connection, model_number)
    if not specs:
        log.info("Batch %s belongs to a model without a version; it is not monitored yet.", batch["batch_id"])
        return
    for version, instants in _touched_instants(connection, model_number, batch["number"], specs).items():
        key, starts = VersionKey(model_number, version), {chunk_at(specs[version], at).start for at in instants}
        if batch["kind"] == ledger.BatchKind.LABELS:
            uncomputed_labels.record(connection, key, starts, batch["number"])
        if version in ready:
            pending_chunks.queue(connection, key, starts, aware_utc(batch["written_at"]))


def _lock_specs(connection: Connection, model_number: int) -> None:
    """Lock the model so that no spec changes and no version is added before this transaction commits.

    A spec revision queues the chunks of the batches that it sees; the lock keeps it from missing this one.
    """
    lock_model(connection, model_number, shared=True)


def _newest_specs(connection: Connection, model_number: int) -> tuple[Specs, set[int]]:
    """Return the newest spec of each ready or retired version of a model, and which of the versions are ready."""
    revised = spec_revisions.join(
        model_versions,
        (model_versions.c.model_number == spec_revisions.c.model_number)
        & (model_versions.c.version == spec_revisions.c.model_version),
    )
    rows = connection.execute(
        select(spec_revisions.c.model_version, spec_revisions.c.spec, model_versions.c.state)
        .select_from(revised)
        .where(
            model_versions.c.model_number == model_number,
            model_versions.c.state.in_((registry.READY, registry.RETIRED)),
        )
        .order_by(spec_revisions.c.revision)
    ).all()
    specs = {version: spec for version, spec, _ in rows}
    ready = {version for version, _, state in rows if state == registry.READY}
    return {version: Spec.model_validate_json(spec) for version, spec in specs.items()}, ready


def _touched_instants(
    connection: Connection, model_number: int, batch_number: int, specs: Specs
) -> dict[int, set[datetime]]:
    """Return by version the quarters of an hour (slots) with predictions that a batch wrote, removed or labelled."""
    slots = connection.execute(
        select(ledger_slots.c.model_version, ledger_slots.c.slot).where(ledger_slots.c.batch_number == batch_number)
    )
    store = PredictionStore(model_number, next(iter(specs.values())))
    touched = [(version, aware_utc(slot)) for version, slot in slots]
    touched += store.slots_of_labels(connection, batch_number)
    instants: dict[int, set[datetime]] = {}
    for version, instant in touched:
        instants.setdefault(version, set()).add(instant)
    for version in sorted(instants.keys() - specs.keys()):
        del instants[version]
        log.error(
            "Batch %d has rows of version %d, which is not registered; they are not monitored until it is.",
            batch_number,
            version,
        )
    return instants
