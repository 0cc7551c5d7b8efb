"""The API poller: stores the changes of the shop's API in its database, page by page, each exactly once."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, Table, bindparam, delete, insert, select, update
from sqlalchemy.dialects.mysql import insert as upserting

from driftline import DriftlineError
from examples.lakehouse.shop.api import CHANGES
from examples.lakehouse.shop.orders import ORDERS, POSITION, PROMISED
from examples.monitor_api import request_json

PAGE_CHANGES = 500
INSTANTS = ("placed_at", "delivered_at", "updated_at")
Entry = Mapping[str, Any]


class UnknownField(DriftlineError):
    """The API has a field that the table `orders` lacks; add the column, then poll again."""


def poll_until(address: str, engine: Engine, instant: datetime) -> int:
    """Store all changes up to an instant after the kept position, and return how many.

    Raises:
        UnknownField: the API has a field that the table lacks; the pages before are stored.
    """
    table = Table(ORDERS.name, MetaData(), autoload_with=engine)

    def page_after(position: int) -> Entry:
        query = {"after": f"{position}", "limit": f"{PAGE_CHANGES}", "until": instant.isoformat()}
        page: Entry = request_json(address, CHANGES, query=query)
        return page

    stored = 0
    while count := poll_once(page_after, engine, table):
        stored += count
    return stored


def poll_once(page_after: Callable[[int], Entry], engine: Engine, table: Table) -> int:
    """Store the page after the kept position, and the position with it in one transaction; return its changes."""
    with engine.begin() as connection:
        position = _kept_position(connection)
        page = page_after(position)
        for kind, store in STORE.items():
            if rows := [_row(entry, table) for entry in page["changes"] if entry["kind"] == kind]:
                store(connection, table, rows)
        connection.execute(update(POSITION).values(position=page["next"]))
    return len(page["changes"])


def add_promised_hours(owner: Engine) -> None:
    """Add the column of the API's version 2; needs the rights of the owner."""
    with owner.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {ORDERS.name} ADD COLUMN IF NOT EXISTS {PROMISED} DOUBLE NULL")


def _kept_position(connection: Connection) -> int:
    """Return the kept position, locked against other pollers; the first time it is 0."""
    statement = select(POSITION.c.position).with_for_update()
    position = connection.execute(statement).scalar()
    if position is None:
        connection.execute(insert(POSITION).values(id=1, position=0))
    return int(position or 0)


def _row(entry: Entry, table: Table) -> dict[str, Any]:
    """Return an entry as values of the table, with its instants in UTC."""
    fields = {**entry, "updated_at": entry["at"]}
    del fields["kind"], fields["at"]
    if unknown := fields.keys() - table.columns.keys():
        raise UnknownField(f"The API has fields that the table {table.name} lacks: {', '.join(sorted(unknown))}.")
    return {
        name: datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None) if name in INSTANTS else value
        for name, value in fields.items()
    }


def _place(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    statement = upserting(table)
    changed = {column.name: statement.inserted[column.name] for column in table.columns if column.name in rows[0]}
    connection.execute(statement.on_duplicate_key_update(changed), rows)


def _deliver(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    bound = [{"order_id": row.pop("id"), **row} for row in rows]
    connection.execute(update(table).where(table.c.id == bindparam("order_id")), bound)


def _remove(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    connection.execute(delete(table).where(table.c.id.in_([row["id"] for row in rows])))


STORE = {"placed": _place, "delivered": _deliver, "removed": _remove}
"""How the changes of each kind are stored, in the order in which they happen to an order."""
