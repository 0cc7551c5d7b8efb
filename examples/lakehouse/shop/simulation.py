"""A simulated online shop: its orders, and what happens to them, in order of time. No I/O here."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from examples.lakehouse.shop.orders import PROMISED

FIRST_DAY, DAY = datetime(2024, 1, 1, tzinfo=UTC), timedelta(days=1)
WAREHOUSES = {"north": 6.0, "south": 9.0, "west": 14.0}
"""The hours that each warehouse takes to pack an order."""
CUSTOMERS, CANCELLED, ERASED_EVERY = 400, 0.02, 7
"""Customers, the share of orders that are cancelled, and days between two customers who have their data erased."""
MOST_HOURS = 90.0
METRES = 1_000


@dataclass(frozen=True)
class ShopPlan:
    """Days that train the model, days of its reference, days until all of those are delivered, and monitored days.

    The API's version 2 begins on one of the monitored days, by its number.
    """

    trained: int = 20
    reference: int = 20
    awaited: int = 4
    monitored: int = 14
    orders: int = 120
    version_2_from: int | None = 7
    seed: int = 1

    def day(self, number: int) -> datetime:
        """Return the begin of a day."""
        return FIRST_DAY + number * DAY

    @property
    def reference_begin(self) -> datetime:
        """The begin of the reference, which is the end of the training."""
        return self.day(self.trained)

    @property
    def reference_end(self) -> datetime:
        """The end of the reference."""
        return self.day(self.trained + self.reference)

    @property
    def monitored_begin(self) -> datetime:
        """The begin of the first monitored day; all orders of the reference are delivered."""
        return self.reference_end + self.awaited * DAY

    @property
    def monitored_end(self) -> datetime:
        """The end of the last monitored day; the shop closes."""
        return self.monitored_begin + self.monitored * DAY

    @property
    def end(self) -> datetime:
        """When the last order is delivered."""
        return self.monitored_end + self.awaited * DAY

    @property
    def version_2_begin(self) -> datetime | None:
        """When the API's version 2 begins, None if it does not."""
        return None if self.version_2_from is None else self.monitored_begin + self.version_2_from * DAY

    def version_at(self, instant: datetime) -> int:
        """Return the version of the API at an instant."""
        return 2 if self.version_2_begin and instant >= self.version_2_begin else 1


SHORT = ShopPlan(trained=9, reference=8, monitored=8, orders=60, version_2_from=2)
"""A plan of a quarter of the orders, in which the other unit is found, and orders are erased after they were scored."""


@dataclass(frozen=True)
class ShopChange:
    """What happened to an order: `placed`, `delivered` or `removed`, with the fields that the API gives."""

    at: datetime
    kind: str
    version: int
    fields: dict[str, Any]


def changes(plan: ShopPlan) -> list[ShopChange]:
    """Return everything that happens, in order of time."""
    days = (plan.monitored_end - FIRST_DAY).days
    unordered = (change for number in range(days) for change in _changes_of_day(plan, number, days))
    return sorted(unordered, key=lambda change: (change.at, change.fields["id"]))


def erasure_of(customer: int, placed_at: datetime, days: int) -> datetime | None:
    """Return when the orders of a customer are erased that were placed before, None if never."""
    day, remainder = divmod(customer, 50)  # every 50th customer asks for it, each on another day
    erased_at = FIRST_DAY + day * ERASED_EVERY * DAY + timedelta(hours=12)
    return erased_at if not remainder and placed_at < erased_at < FIRST_DAY + days * DAY else None


def _changes_of_day(plan: ShopPlan, number: int, days: int) -> Iterator[ShopChange]:
    """Yield what happens to the orders of a day, which depend on seed and number alone."""
    rng = np.random.default_rng([plan.seed, number])
    seconds = np.sort(rng.uniform(0, 86_400, plan.orders))
    for index in range(plan.orders):
        placed_at = plan.day(number) + timedelta(seconds=round(float(seconds[index]), 3))
        order = _order(rng, number * plan.orders + index + 1)
        hours = _delivery_hours(rng, order)
        delivered_at = placed_at + timedelta(hours=hours)
        cancelled = rng.uniform() < CANCELLED
        removed_at = placed_at + timedelta(hours=rng.uniform(0.5, 3)) if cancelled else None
        removed_at = removed_at or erasure_of(order["customer_id"], placed_at, days)
        version = plan.version_at(placed_at)
        yield ShopChange(placed_at, "placed", version, _as_of(version, {**order, "placed_at": placed_at.isoformat()}))
        if removed_at is None or delivered_at < removed_at:
            delivery = {"id": order["id"], "delivered_at": delivered_at.isoformat(), "delivery_hours": hours}
            yield ShopChange(delivered_at, "delivered", plan.version_at(delivered_at), delivery)
        if removed_at:
            yield ShopChange(removed_at, "removed", plan.version_at(removed_at), {"id": order["id"]})


def _order(rng: np.random.Generator, order_id: int) -> dict[str, Any]:
    return {
        "id": order_id,
        "customer_id": int(rng.integers(1, CUSTOMERS + 1)),
        "distance": round(float(np.clip(rng.lognormal(np.log(250), 0.6), 5, 1_500)), 1),
        "items": int(rng.poisson(2)) + 1,
        "weight_kg": round(float(rng.gamma(2, 3)) + 0.1, 2),
        "warehouse": str(rng.choice([*WAREHOUSES], p=[0.5, 0.3, 0.2])),
        "express": int(rng.uniform() < 0.25),
    }


def _expected_hours(order: dict[str, Any]) -> float:
    """Return the hours that an order takes on average; its distance is in kilometres."""
    packing = WAREHOUSES[order["warehouse"]] + 0.8 * order["items"] - 4.0 * order["express"]
    return float(packing + order["distance"] / 35 + 0.25 * order["weight_kg"])


def _delivery_hours(rng: np.random.Generator, order: dict[str, Any]) -> float:
    return round(float(np.clip(_expected_hours(order) + rng.normal(0, 3), 0.5, MOST_HOURS)), 3)


def _as_of(version: int, order: dict[str, Any]) -> dict[str, Any]:
    """Return an order as a version of the API gives it: 2 has metres, and what was promised to the customer."""
    if version == 1:
        return order
    promised = round(1.2 * _expected_hours(order))
    return {**order, "distance": round(order["distance"] * METRES, 1), PROMISED: float(promised)}
