"""The numbers of models: labels, the ledger and the names of a model's tables refer to a model by its number."""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, and_, func, insert, select, update

from driftline.clock import naive_utc
from driftline.errors import NotFound
from driftline.store.tables import model_versions, models
from driftline.store.version_key import VersionKey


def model_number(connection: Connection, name: str) -> int:
    """Return the number of a model.

    Names are compared here: MySQL ignores blanks at the end of a name, and fails on characters other than ASCII.

    Raises:
        NotFound: no model has that name; the error lists the registered ones.
    """
    if name.isascii():
        same = select(models.c.name, models.c.number).where(models.c.name == name)
        for stored, number in connection.execute(same):
            if stored == name:
                return int(number)
    listed = ", ".join(connection.execute(select(models.c.name).order_by(models.c.name)).scalars())
    raise NotFound(f"No model is named {name!r}. Registered: {listed or 'none'}.")


def ensure_model(connection: Connection, name: str, now: datetime) -> int:
    """Return the number of a model, which is created where no model has that name.

    Its row stays locked until the transaction ends, so that versions are numbered one after the other.
    """
    locked = select(models.c.number).where(models.c.name == name).with_for_update()
    number = connection.execute(locked).scalar()
    if number is None:
        connection.execute(insert(models).prefix_with("IGNORE").values(name=name, created_at=naive_utc(now)))
        number = connection.execute(locked).scalar_one()
    return int(number)


def lock_version(connection: Connection, key: VersionKey) -> bool:
    """Lock a version until the transaction ends; return whether it exists.

    One transaction at a time then stores its results, and sees all earlier verdicts and events.
    """
    locked = select(model_versions.c.version).where(_is_version(key)).with_for_update()
    return connection.execute(locked).first() is not None


def record_results(connection: Connection, key: VersionKey, now: datetime) -> None:
    """Record when results of a version were stored last; the version must be locked."""
    connection.execute(update(model_versions).where(_is_version(key)).values(results_at=naive_utc(now)))


def _is_version(key: VersionKey) -> ColumnElement[bool]:
    return and_(model_versions.c.model_number == key.model_number, model_versions.c.version == key.version)


def lock_model(connection: Connection, number: int, *, shared: bool = False) -> None:
    """Lock a model until the transaction ends; `shared` locks keep out others only, not one another."""
    connection.execute(select(models.c.number).where(models.c.number == number).with_for_update(read=shared))


def next_position(connection: Connection, table: Table, number: int) -> int:
    """Return the next position in a table that numbers the rows of each model from 1; the model must be locked."""
    last = select(func.coalesce(func.max(table.c.position), 0)).where(table.c.model_number == number)
    return int(connection.execute(last).scalar_one()) + 1
