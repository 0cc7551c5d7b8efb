"""Random changes of orders in Debezium's shape, delivered with repetitions and delays. No I/O here."""

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Order = dict[str, Any]
BEGIN = datetime(2024, 3, 1, tzinfo=UTC)
MICROSECONDS = "io.debezium.time.MicroTimestamp"
FIELDS = {
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
ADDED = {"promised_hours": ("double", None)}
"""The column that the source gets when half of the changes have been made; until then it is None in `Change.after`."""


@dataclass(frozen=True)
class Change:
    """A change of one order: the message's key and value, and the order afterwards (None if it was deleted)."""

    order: int
    key: bytes
    value: bytes
    after: Order | None


def random_changes(generator: random.Random, count: int, orders: int) -> list[Change]:
    """Return changes in the order of the binlog, which has several files, and events of several rows."""
    changes: list[Change] = []
    stored: dict[int, Order] = {}
    file, position, row = 1, 4, 0
    while len(changes) < count:
        fields = {**FIELDS, **(ADDED if len(changes) >= count / 2 else {})}
        number = generator.randrange(orders)
        before = stored.pop(number, None)
        after = None if before and generator.random() < 0.3 else _order(generator, number, fields)
        if after is not None:
            stored[number] = after
        operation = "d" if after is None else "u" if before else "c"
        source = {"file": f"binlog.{file:06d}", "pos": position, "row": row, "snapshot": "false"}
        changes.append(_change(fields, operation, before, after, source))
        row += 1
        if generator.random() < 0.7:
            position, row = position + generator.randrange(60, 3000), 0
        if generator.random() < 0.03:
            file, position, row = file + 1, 4, 0
    return changes


def delivered(generator: random.Random, changes: Sequence[Change]) -> list[Change]:
    """Return the changes as a bad connection delivers them: some late, some again, some of both."""
    arrivals = [(number + generator.choice((0, 0, 0, 3, 40)), change) for number, change in enumerate(changes)]
    again = [
        (number + generator.randrange(len(changes)), change)
        for number, change in enumerate(changes)
        if generator.random() < 0.2
    ]
    return [change for _, change in sorted([*arrivals, *again], key=lambda arrival: arrival[0])]


def orders_after(changes: Iterable[Change]) -> dict[int, Order]:
    """Return the orders after changes, as a plain dictionary has them."""
    stored: dict[int, Order] = {}
    for change in changes:
        stored.pop(change.order, None)
        if change.after is not None:
            stored[change.order] = change.after
    return stored


def _order(generator: random.Random, number: int, fields: Iterable[str]) -> Order:
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


def _change(
    fields: dict[str, tuple[str, str | None]], operation: str, before: Order | None, after: Order | None, source: Order
) -> Change:
    number = (after or before or {})["id"]
    rows = {"before": _declared(before, fields), "after": _declared(after, fields)}
    payload = {**rows, "source": source, "op": operation, "ts_ms": 0}
    message = {"schema": _envelope_schema(fields), "payload": payload}
    key = {"schema": _struct("Key", {"id": fields["id"]}), "payload": {"id": number}}
    return Change(number, json.dumps(key).encode(), json.dumps(message, default=_microseconds).encode(), after)


def _declared(order: Order | None, fields: Iterable[str]) -> Order | None:
    return order and {name: order[name] for name in fields}


def _envelope_schema(fields: dict[str, tuple[str, str | None]]) -> Order:
    source: dict[str, tuple[str, str | None]] = {
        "file": ("string", None), "pos": ("int64", None), "row": ("int32", None), "snapshot": ("string", None),
    }  # fmt: skip
    envelope = _struct("Envelope", {"op": ("string", None), "ts_ms": ("int64", None)})
    rows = [{**_struct("Value", fields), "field": name, "optional": True} for name in ("before", "after")]
    return {**envelope, "fields": [*rows, {**_struct("Source", source), "field": "source"}, *envelope["fields"]]}


def _struct(name: str, fields: dict[str, tuple[str, str | None]]) -> Order:
    declared = [
        {"type": kind, "optional": field != "id", "field": field, **({"name": semantic} if semantic else {})}
        for field, (kind, semantic) in fields.items()
    ]
    return {"type": "struct", "fields": declared, "optional": False, "name": f"shop.shop.orders.{name}"}
