"""Retire a version, or remove a model with everything that it stored."""

from collections.abc import Iterator

from sqlalchemy import Connection, Engine, Table, delete, select, update

from driftline.errors import NotFound
from driftline.objects import split_address
from driftline.store.archive.removal import delete_objects
from driftline.store.database import in_transaction
from driftline.store.model_numbers import lock_model, model_number
from driftline.store.tables import ledger, metadata, model_versions, models
from driftline.store.versions.registry import READY, RETIRED
from driftline.store.versions.roles import release

ROWS_AT_ONCE = 10_000
"""How many rows one transaction deletes at most: others wait for its locks no longer than that takes."""
BATCHES_AT_ONCE = 20
"""How many batches' data one transaction deletes at most: a blob is up to 4 MB."""
_LAST = (model_versions.name, models.name)


def retire(engine: Engine, name: str, version: int) -> None:
    """Retire a version: it accepts no further rows and is no longer polled; its results stay readable.

    Registering the same reference again makes it ready again.

    Raises:
        NotFound: no such model, or no such version that is ready. Conflict: it is the champion of its model.
    """

    def work(connection: Connection) -> None:
        number = model_number(connection, name)
        release(connection, name, number, version)
        row = (model_versions.c.model_number == number) & (model_versions.c.version == version)
        retired = update(model_versions).where(row, model_versions.c.state == READY).values(state=RETIRED)
        if not connection.execute(retired).rowcount:
            raise NotFound(f"Model {name!r} has no ready version {version}; `driftline models show {name}` lists them.")

    in_transaction(engine, work)


def remove(engine: Engine, name: str) -> int:
    """Remove a model with everything that it stored, references included; return the number of rows deleted.

    All versions are retired first, so that nothing is added. Then rows go in steps of their own transactions, and the
    model itself last: after a failure, call it again.

    Raises:
        NotFound: no such model. StoreRefused, StoreUnavailable: a reference or an archive object cannot be deleted.
    """
    number = in_transaction(engine, lambda connection: _retire_all(connection, name))
    delete_objects(engine, number)
    deleted = sum(_delete_batches(engine, number))
    for table in _tables_of_models():
        deleted += sum(_delete_rows(engine, table, number))
    with engine.connect() as connection:
        addresses = (
            connection.execute(
                select(model_versions.c.reference_uri).where(model_versions.c.model_number == number).distinct()
            )
            .scalars()
            .all()
        )
    for address in addresses:
        store, key = split_address(address)
        store.delete(key)
    return deleted + in_transaction(engine, lambda connection: _delete_model(connection, number))


def _retire_all(connection: Connection, name: str) -> int:
    number = model_number(connection, name)
    connection.execute(update(model_versions).where(model_versions.c.model_number == number).values(state=RETIRED))
    return number


def _delete_batches(engine: Engine, number: int) -> Iterator[int]:
    """Delete the rows of each batch with its ledger row, step by step, so that no row stays without its batch."""
    by_batch = [t for t in metadata.sorted_tables if "batch_number" in t.c and "model_number" not in t.c]

    def step(connection: Connection) -> int:
        selected = select(ledger.c.number).where(ledger.c.model_number == number).limit(BATCHES_AT_ONCE)
        numbers = connection.execute(selected.with_for_update()).scalars().all()
        if not numbers:
            return 0
        for table in by_batch:
            connection.execute(delete(table).where(table.c.batch_number.in_(numbers)))
        return int(connection.execute(delete(ledger).where(ledger.c.number.in_(numbers))).rowcount)

    while count := in_transaction(engine, step):
        yield count


def _tables_of_models() -> list[Table]:
    """Return the tables with rows of single models, except those that register the model itself."""
    excluded = {*_LAST, ledger.name}
    return [table for table in metadata.sorted_tables if "model_number" in table.c and table.name not in excluded]


def _delete_rows(engine: Engine, table: Table, number: int) -> Iterator[int]:
    """Delete a model's rows of a table, step by step."""
    deleted_rows = delete(table).where(table.c.model_number == number).with_dialect_options(mysql_limit=ROWS_AT_ONCE)
    while count := in_transaction(engine, lambda connection: int(connection.execute(deleted_rows).rowcount)):
        yield count


def _delete_model(connection: Connection, number: int) -> int:
    """Delete the versions and the model, and what a writer that was not over yet has added meanwhile."""
    lock_model(connection, number)
    tables = (*_tables_of_models(), model_versions)
    deleted = sum(connection.execute(delete(table).where(table.c.model_number == number)).rowcount for table in tables)
    connection.execute(delete(models).where(models.c.number == number))
    return int(deleted) + 1
