"""From batches to chunks: what a committed batch touched becomes pending under each version's present calendar."""

import logging
from datetime import datetime

from sqlalchemy import Connection, Engine, RowMapping, select

from driftline.clock import aware_utc
from driftline.engine.spec import Spec
from driftline.store import ledger, registry
from driftline.store.database import in_transaction
from driftline.store.ledger import Consumer
from driftline.store.predictions import PredictionStore
from driftline.store.tables import ledger_slots, model_versions, models, spec_revisions
from monitoring.poll.watched import chunk_at

log = logging.getLogger(__name__)

Specs = dict[int, Spec]


def place_batches(engine: Engine) -> int:
    """Turn every pending batch into pending chunks, a transaction each; give how many there were."""
    placed = 0
    while in_transaction(engine, place_one):
        placed += 1
    return placed


def place_one(connection: Connection) -> bool:
    """Claim one batch, make its chunks pending and let the claim go; say whether there was one."""
    batch = ledger.claim(connection, Consumer.MONITOR)
    if batch is None:
        return False
    if batch["model_number"] is not None:
        _place(connection, batch)
    ledger.settle(connection, Consumer.MONITOR, batch["number"])
    return True


def _place(connection: Connection, batch: RowMapping) -> None:
    model_number = batch["model_number"]
    _hold_specs(connection, model_number)
    specs = _present_specs(connection, model_number)
    if not specs:
        log.info("Batch %s is of a model without a ready version; nobody watches it yet.", batch["batch_id"])
        return
    for version, places in _places(connection, model_number, batch["number"], specs).items():
        registry.queue(connection, model_number, version, {chunk_at(specs[version], place).start for place in places})


def _hold_specs(connection: Connection, model_number: int) -> None:
    """Let no spec be revised, nor a version be added, until this is committed: a revision queues what is there."""
    connection.execute(select(models.c.number).where(models.c.number == model_number).with_for_update(read=True))


def _present_specs(connection: Connection, model_number: int) -> Specs:
    """The newest spec of each ready version of a model."""
    revised = spec_revisions.join(
        model_versions,
        (model_versions.c.model_number == spec_revisions.c.model_number)
        & (model_versions.c.version == spec_revisions.c.model_version),
    )
    rows = connection.execute(
        select(spec_revisions.c.model_version, spec_revisions.c.spec)
        .select_from(revised)
        .where(model_versions.c.model_number == model_number, model_versions.c.state == registry.READY)
        .order_by(spec_revisions.c.revision)
    )
    return {version: Spec.model_validate_json(spec) for version, spec in rows}


def _places(connection: Connection, model_number: int, batch_number: int, specs: Specs) -> dict[int, set[datetime]]:
    """Where the batch's rows lie, by version: the slots of predictions, old and new, and what its labels speak of."""
    slots = connection.execute(
        select(ledger_slots.c.model_version, ledger_slots.c.slot).where(ledger_slots.c.batch_number == batch_number)
    )
    store = PredictionStore(model_number, next(iter(specs.values())))
    touched = [(version, aware_utc(slot)) for version, slot in slots]
    touched += store.places_of_labels(connection, batch_number)
    places: dict[int, set[datetime]] = {}
    for version, place in touched:
        if version in specs:
            places.setdefault(version, set()).add(place)
        else:
            log.error(
                "Batch %d has rows of version %d, which is not registered; nobody watches them.", batch_number, version
            )
    return places
