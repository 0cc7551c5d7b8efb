"""Scoring sends changes to the monitor: after failures and repetitions it has the present orders and no others."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from examples.lakehouse.lake.iceberg import KIND, NUMBER
from examples.lakehouse.model.delivery_model import (
    AT,
    FEATURES,
    ID,
    LABEL,
    NUMBERS,
    PREDICTION,
    WAREHOUSE,
    DeliveryModel,
)
from examples.lakehouse.model.scoring import (
    DELETED,
    INSERTED,
    REPLACED,
    UPDATED,
    OrderChanges,
    OrderScoring,
    SentChanges,
)
from examples.monitor_api import NotStored

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
MODEL = DeliveryModel(1.0, dict.fromkeys((*NUMBERS, "warehouse_south", "warehouse_west"), 1.0))
COLUMNS = (ID, AT, *FEATURES, "delivered_at", LABEL, KIND, NUMBER)
Row = Mapping[str, Any]


@dataclass
class FakeMonitor:
    """A monitor and the spool of its client; while it is away, rows wait in the spool."""

    away: bool = False
    refused_batches: int = 0
    predictions: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, float] = field(default_factory=dict)
    spool: list[tuple[dict[str, Any], str, Any]] = field(default_factory=list)

    def log(self, features: Row, prediction: float, id: str, at: datetime) -> str:
        self.spool.append((self.predictions, id, (dict(features), prediction, at)))
        return id

    def log_labels(self, labels: Mapping[str, float], known_at: datetime) -> int:
        assert known_at.tzinfo
        self.spool.extend((self.labels, order_id, label) for order_id, label in labels.items())
        return len(labels)

    def flush(self, timeout: float) -> bool:
        assert timeout
        for rows, order_id, value in [] if self.away else self.spool:
            assert rows is self.labels or rows.setdefault(order_id, value) == value, "409: stored with other content"
            rows[order_id] = value
        self.spool = self.spool if self.away else []
        return not self.spool

    def status(self) -> "FakeMonitor":
        return self

    def erase(self, ids: Sequence[str]) -> int:
        if ids and self.away:
            raise ConnectionError
        erased = [order_id for order_id in ids if order_id in self.predictions or order_id in self.labels]
        for rows in (self.predictions, self.labels):
            for order_id in erased:
                rows.pop(order_id, None)
        return len(erased)

    def send(self, *changes: Row) -> SentChanges:
        scoring = OrderScoring(MODEL, self, self.erase, BEGIN)  # type: ignore[arg-type]
        frame = pd.DataFrame(changes, columns=[*COLUMNS])
        return scoring.send(OrderChanges.of(frame.astype({NUMBER: "int64"})))


def change(kind: str, number: int, order_id: int, distance: float = 100.0, hours: float | None = None) -> Row:
    features = {**dict.fromkeys(NUMBERS, 1.0), "distance": distance, WAREHOUSE: "north"}
    at = pd.Timestamp(BEGIN)
    return {ID: order_id, AT: at, **features, "delivered_at": at, LABEL: hours, KIND: kind, NUMBER: number}


def test_the_prediction_and_the_label_of_a_removed_order_are_erased() -> None:
    monitor = FakeMonitor()
    assert monitor.send(change(INSERTED, 0, 1), change(INSERTED, 0, 2)) == SentChanges(scored=2)
    monitor.send(change(UPDATED, 0, 1, hours=5.0))
    assert monitor.labels == {"1": 5.0}
    removal = change(DELETED, 0, 1, hours=5.0)
    assert monitor.send(removal) == SentChanges(erased=1)
    assert ({*monitor.predictions}, monitor.labels) == ({"2"}, {})
    assert monitor.send(removal) == SentChanges()


def test_an_order_that_is_removed_before_it_is_scored_is_not_sent() -> None:
    monitor = FakeMonitor()
    history = change(INSERTED, 0, 1), change(UPDATED, 1, 1, hours=5.0), change(DELETED, 2, 1, hours=5.0)
    assert monitor.send(*history) == SentChanges()
    assert not monitor.predictions
    assert not monitor.labels


def test_rows_that_waited_in_the_spool_are_erased_too() -> None:
    monitor = FakeMonitor(away=True)
    monitor.spool.append((monitor.predictions, "1", "of an attempt before"))
    inserted, deleted = change(INSERTED, 0, 1), change(DELETED, 1, 1)
    with pytest.raises(NotStored, match="has not stored"):
        monitor.send(inserted, deleted)
    monitor.away = False
    assert monitor.send(inserted, deleted) == SentChanges(erased=1)
    assert not monitor.predictions


def test_an_id_that_is_given_to_another_order_has_its_prediction() -> None:
    monitor = FakeMonitor()
    history = [change(INSERTED, 0, 1, distance=1.0)]
    monitor.send(*history)
    history += [change(DELETED, 1, 1, distance=1.0), change(INSERTED, 2, 1, distance=9.0)]
    for _ in range(2):
        assert monitor.send(*history) == SentChanges(scored=1, erased=1)
        assert monitor.predictions["1"][0]["distance"] == 9.0


def test_an_id_reused_in_a_micro_batch_is_that_of_the_new_order() -> None:
    monitor = FakeMonitor()
    first = change(INSERTED, 0, 1, distance=1.0)
    monitor.send(first, change(REPLACED, 1, 1, distance=1.0), change(UPDATED, 1, 1, distance=1.0, hours=5.0))
    assert monitor.labels == {"1": 5.0}, "a delivery is the same order's"
    reused = {**change(UPDATED, 2, 1, distance=9.0), AT: pd.Timestamp(BEGIN) + pd.Timedelta("1h")}
    for _ in range(2):
        assert monitor.send({**first, KIND: REPLACED, NUMBER: 2}, reused) == SentChanges(scored=1, erased=1)
        ((features, _, at),) = monitor.predictions.values()
        assert (features["distance"], at) == (9.0, reused[AT])
        assert not monitor.labels


def test_an_id_of_an_order_that_is_not_monitored_may_be_used_again() -> None:
    monitor = FakeMonitor()
    earlier = {**change(REPLACED, 0, 1), AT: pd.Timestamp(BEGIN) - pd.Timedelta("1h")}
    assert monitor.send(earlier, change(UPDATED, 0, 1, hours=5.0)) == SentChanges(scored=1)
    assert monitor.labels == {"1": 5.0}


def test_refused_rows_are_an_error() -> None:
    with pytest.raises(NotStored, match="has not stored"):
        FakeMonitor(refused_batches=1).send(change(INSERTED, 0, 1))


@pytest.mark.parametrize("seed", range(10))
def test_after_failures_and_repeats_the_monitor_has_the_present_orders(seed: int) -> None:
    generator = random.Random(seed)
    history, monitor, tagged, end = [*random_history(generator)], FakeMonitor(), 0, 0
    while tagged < len(history):
        end = min(end + generator.randrange(20), len(history))
        end += end < len(history) and history[end - 1][KIND] == REPLACED  # both rows of an update are in one snapshot
        monitor.away = generator.random() < 0.3
        try:
            monitor.send(*history[tagged:end])
        except (NotStored, ConnectionError):
            continue
        if generator.random() < 0.7:  # else the program is killed before the tag moves
            tagged = end
    present: dict[str, Row] = {}
    for happened in history:
        present.pop(f"{happened[ID]}", None)
        if happened[KIND] != DELETED:
            present[f"{happened[ID]}"] = happened
    assert {order_id: stored[0]["distance"] for order_id, stored in monitor.predictions.items()} == {
        order_id: row["distance"] for order_id, row in present.items()
    }
    assert monitor.labels == {order_id: row[LABEL] for order_id, row in present.items() if row[LABEL]}


def random_history(generator: random.Random) -> Iterator[Row]:
    """Yield changes of a few orders, one in each snapshot; ids come back."""
    present: dict[int, Row] = {}
    for number in range(60):
        order_id = generator.randrange(6)
        if order_id not in present:
            present[order_id] = change(INSERTED, number, order_id, distance=float(number))
        elif generator.random() < 0.2:
            replaced, at = present[order_id], pd.Timestamp(BEGIN) + pd.Timedelta(hours=number)
            yield {**replaced, KIND: REPLACED, NUMBER: number}
            present[order_id] = {**change(UPDATED, number, order_id, distance=float(number)), AT: at}
        elif generator.random() < 0.5:
            yield {**present[order_id], KIND: REPLACED, NUMBER: number}
            present[order_id] = {**present[order_id], LABEL: float(number), KIND: UPDATED, NUMBER: number}
        else:
            yield {**present.pop(order_id), KIND: DELETED, NUMBER: number}
            continue
        yield present[order_id]


def test_nothing_is_predicted_twice_in_a_repetition() -> None:
    monitor = FakeMonitor()
    for _ in range(2):
        monitor.send(change(INSERTED, 0, 1), change(UPDATED, 1, 1, hours=5.0))
    (stored,) = monitor.predictions.values()
    assert (stored[0]["distance"], stored[1], stored[2]) == (100.0, MODEL.predict(frame())[0], BEGIN)
    assert PREDICTION not in stored[0]


def frame() -> pd.DataFrame:
    return pd.DataFrame([change(INSERTED, 0, 1)])
