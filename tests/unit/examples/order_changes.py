"""Random changes of orders in Debezium's shape, delivered late and again. No I/O here."""

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Order = dict[str, Any]
BEGIN = datetime(2024, 3, 1, tzinfo=UTC)
MICROSECONDS = "io.debezium.time.MicroTimestamp"
Fields = dict[str, tuple[str, str | None]]
FIELDS: Fields = {
    "id": ("int64", None),
    "customer_id": ("int64", None),
    "placed_at": ("int64", MICROSECONDS),
    "distance": ("double", None),
    "items": ("int32", None),
    "warehouse": ("string", None),
    "express": ("int16", None),
    "delivered_at": ("int64", MICROSECONDS),
    "delivery_hours": ("double", None),
}
ADDED: Fields = {"promised_hours": ("double", None)}
"""The column that the source gets after half of the transactions; until then `OrderChange.after` has None."""


@dataclass(frozen=True)
class OrderChange:
    """A change of one order: the message's key and value, and the order afterwards (None if it was deleted)."""

    order: int
    key: bytes
    value: bytes
    after: Order | None


Transaction = Sequence[OrderChange]


def random_transactions(generator: random.Random, count: int, orders: int) -> list[Transaction]:
    """Return transactions in the order of the binary log, which has several files.

    As MariaDB's do, the changes of a transaction have its position, and may be of the same order.
    """
    transactions: list[Transaction] = []
    stored: dict[int, Order] = {}
    file, position = 1, 4
    for number in range(count):
        fields = {**FIELDS, **(ADDED if number >= count / 2 else {})}
        source = {"file": f"binlog.{file:06d}", "pos": position, "row": 0, "snapshot": "false"}
        few = generator.sample(range(orders), 2)
        changed = [generator.choice(few) for _ in range(generator.randrange(1, 5))]
        transactions.append([_random_change(generator, stored, order, fields, source) for order in changed])
        position += generator.randrange(60, 3000)
        if generator.random() < 0.05:
            file, position = file + 1, 4
    return transactions


def _random_change(
    generator: random.Random, stored: dict[int, Order], number: int, fields: Fields, source: Order
) -> OrderChange:
    """Insert, update or delete an order."""
    previous = stored.pop(number, None)
    after = None if previous and generator.random() < 0.3 else _order(generator, number, fields)
    if after is not None:
        stored[number] = after
    operation = "d" if after is None else "u" if previous else "c"
    return _change(fields, operation, previous, after, source)


def delivered(generator: random.Random, transactions: Sequence[Transaction]) -> list[OrderChange]:
    """Return the changes as a bad connection delivers them: transactions come late, or again from some change on."""
    arrivals = [(number + generator.choice((0, 0, 0, 3, 20)), changes) for number, changes in enumerate(transactions)]
    again = [
        (number + generator.randrange(21, len(transactions)), changes[generator.randrange(len(changes)) :])
        for number, changes in enumerate(transactions)
        if generator.random() < 0.2
    ]
    arrived = sorted([*arrivals, *again], key=lambda arrival: arrival[0])
    return [change for _, changes in arrived for change in changes]


def orders_after(changes: Iterable[OrderChange]) -> dict[int, Order]:
    """Return the orders after changes, as a plain dictionary has them."""
    stored: dict[int, Order] = {}
    for change in changes:
        stored.pop(change.order, None)
        if change.after is not None:
            stored[change.order] = change.after
    return stored


def _order(generator: random.Random, number: int, fields: Iterable[str]) -> Order:
    """Return a random order that has the given fields; the others are None."""
    placed = BEGIN + timedelta(microseconds=generator.randrange(10**12))
    delivered_at = placed + timedelta(hours=generator.randrange(1, 90)) if generator.random() < 0.5 else None
    values = {
        "id": number,
        "customer_id": generator.randrange(10**12),
        "placed_at": placed,
        "distance": generator.uniform(1, 900),
        "items": generator.randrange(1, 9),
        "warehouse": generator.choice(("north", "süd", 'the "east"')),
        "express": generator.randrange(2),
        "delivered_at": delivered_at,
        "delivery_hours": generator.uniform(1, 90) if delivered_at else None,
        "promised_hours": generator.choice((24.0, 48.0, None)),
    }
    return {name: value if name in fields else None for name, value in values.items()}


def _microseconds(instant: datetime) -> int:
    return (instant - BEGIN.replace(year=1970, month=1)) // timedelta(microseconds=1)


def _change(fields: Fields, operation: str, previous: Order | None, after: Order | None, source: Order) -> OrderChange:
    number = (after or previous or {})["id"]
    rows = {"before": _declared(previous, fields), "after": _declared(after, fields)}
    payload = {**rows, "source": source, "op": operation, "ts_ms": 0}
    message = {"schema": _envelope_schema(fields), "payload": payload}
    key = {"schema": _struct("Key", {"id": fields["id"]}), "payload": {"id": number}}
    return OrderChange(number, json.dumps(key).encode(), json.dumps(message, default=_microseconds).encode(), after)


def _declared(order: Order | None, fields: Iterable[str]) -> Order | None:
    return order and {name: order[name] for name in fields}


def _envelope_schema(fields: Fields) -> Order:
    source: Fields = {
        "file": ("string", None), "pos": ("int64", None), "row": ("int32", None), "snapshot": ("string", None),
    }  # fmt: skip
    envelope = _struct("Envelope", {"op": ("string", None), "ts_ms": ("int64", None)})
    rows = [{**_struct("Value", fields), "field": name, "optional": True} for name in ("before", "after")]
    return {**envelope, "fields": [*rows, {**_struct("Source", source), "field": "source"}, *envelope["fields"]]}


def _struct(name: str, fields: Fields) -> Order:
    declared = [
        {"type": kind, "optional": field != "id", "field": field, **({"name": semantic} if semantic else {})}
        for field, (kind, semantic) in fields.items()
    ]
    return {"type": "struct", "fields": declared, "optional": False, "name": f"shop.shop.orders.{name}"}
