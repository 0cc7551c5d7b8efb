"""Deletes, in bounded steps, the blobs whose rows are archived, and the objects that are replaced or removed."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, tuple_, update

from driftline.clock import naive_utc
from driftline.objects import split_address
from driftline.store.archive.plan import StoredBlob, blobs_before, is_archived
from driftline.store.database import in_transaction, translated
from driftline.store.rows.archived.archive_objects import ArchiveObject, ObjectState, objects_of
from driftline.store.tables import archive_objects, batch_data

BLOBS_AT_ONCE = 20
"""How many blobs one transaction deletes at most: a blob is up to 4 MB."""


def delete_archived_blobs(engine: Engine, model_number: int) -> int:
    """Delete the blobs of a model whose rows are all archived, some at a time; return how many."""
    with translated(), engine.connect() as connection:
        objects = objects_of(connection, archive_objects.c.model_number == model_number)
        if not objects:
            return 0
        blobs = blobs_before(connection, model_number, max(archive_object.end for archive_object in objects))
    superfluous = [blob for blob in blobs if is_archived(blob, objects)]
    for first in range(0, len(superfluous), BLOBS_AT_ONCE):
        step = superfluous[first : first + BLOBS_AT_ONCE]
        in_transaction(engine, lambda connection, step=step: _delete_blobs(connection, step))  # type: ignore[misc]
    return len(superfluous)


def _delete_blobs(connection: Connection, blobs: Sequence[StoredBlob]) -> None:
    place = tuple_(batch_data.c.batch_number, batch_data.c.first_position)
    connection.execute(delete(batch_data).where(place.in_([(blob.batch, blob.first) for blob in blobs])))


def begin_removal(engine: Engine, objects: Iterable[ArchiveObject], now: datetime) -> None:
    """Mark objects as being removed, so that nobody reads them any more; `delete_leftovers` deletes them."""
    numbers = [archive_object.number for archive_object in objects]

    def work(connection: Connection) -> None:
        of_objects = archive_objects.c.number.in_(numbers), archive_objects.c.state == ObjectState.STORED
        removing = {"state": ObjectState.REMOVING, "removed_at": naive_utc(now)}
        connection.execute(update(archive_objects).where(*of_objects).values(removing))

    if numbers:
        in_transaction(engine, work)


def delete_leftovers(engine: Engine, model_number: int | None = None) -> int:
    """Delete the objects that nobody reads: replaced, removed, or of a run that was killed; return how many.

    Only one archive run at a time may call it: an object that another run is writing would be deleted.

    Raises:
        StoreRefused, StoreUnavailable: an object cannot be deleted.
    """
    states = (ObjectState.WRITING, ObjectState.REPLACED, ObjectState.REMOVING)
    of_model = () if model_number is None else (archive_objects.c.model_number == model_number,)
    with translated(), engine.connect() as connection:
        leftovers = objects_of(connection, *of_model, states=states)
    for leftover in leftovers:
        store, key = split_address(leftover.address)
        store.delete(key)
        in_transaction(engine, lambda connection, leftover=leftover: _settle(connection, leftover))  # type: ignore[misc]
    return len(leftovers)


def delete_objects(engine: Engine, model_number: int) -> None:
    """Delete every object of a model, before its rows are deleted.

    Raises:
        StoreRefused, StoreUnavailable: an object cannot be deleted.
    """
    with translated(), engine.connect() as connection:
        objects = objects_of(connection, archive_objects.c.model_number == model_number, states=ObjectState)
    for archive_object in objects:
        store, key = split_address(archive_object.address)
        store.delete(key)


def _settle(connection: Connection, leftover: ArchiveObject) -> None:
    """Delete the row of a deleted object, or, where retention removed its rows, keep it in the state `removed`."""
    is_object = archive_objects.c.number == leftover.number
    if leftover.state.is_gone:
        connection.execute(update(archive_objects).where(is_object).values(state=ObjectState.REMOVED))
    else:
        connection.execute(delete(archive_objects).where(is_object))
