"""The seams of the lakehouse example: the poller on MariaDB, and change events in Spark."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from sqlalchemy import Engine, MetaData, Table, create_engine

from examples.lakehouse.capture.change_events import (
    COMMITTED,
    OPERATION,
    POSITION,
    columns_of,
    newest_changes,
    read_changes,
)
from examples.lakehouse.comparison import database_rows
from examples.lakehouse.shop import poller
from examples.lakehouse.shop.api import ChangeFeed
from examples.lakehouse.shop.orders import METADATA, ORDERS, PROMISED
from examples.lakehouse.shop.poller import UnknownField, add_promised_hours, poll_once
from examples.lakehouse.shop.simulation import ShopPlan, changes
from stack.testing.fixtures import DatabaseAddress

pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"  # pyspark leaves them open
)
PLAN = ShopPlan(trained=8, reference=1, awaited=4, monitored=3, orders=20, version_2_from=1)


@pytest.fixture
def shop(mariadb: DatabaseAddress) -> Iterator[Engine]:
    engine = create_engine(
        f"mysql+pymysql://{mariadb.user}:{mariadb.password}@{mariadb.host}:{mariadb.port}/{mariadb.name}"
    )
    METADATA.create_all(engine)
    yield engine
    engine.dispose()


def page_after(position: int) -> dict[str, Any]:
    page = ChangeFeed(PLAN).page({"after": f"{position}", "limit": "100", "until": PLAN.end.isoformat()})
    return json.loads(json.dumps(page))  # type: ignore[no-any-return]


def table_of(engine: Engine) -> Table:
    return Table(ORDERS.name, MetaData(), autoload_with=engine)


def poll_all(engine: Engine) -> int:
    """Store all pages, and return how many changes they have."""
    stored = 0
    while count := poll_once(page_after, engine, table_of(engine)):
        stored += count
    return stored


def test_api_changes_are_stored_once_and_a_new_field_stops_the_poller(
    shop: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as failing:
        failing.setitem(poller.STORE, "delivered", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            poll_all(shop)
    happened = changes(PLAN)
    with pytest.raises(UnknownField, match=rf"The API has fields that the table orders lacks: {PROMISED}"):
        poll_all(shop)
    add_promised_hours(shop)
    assert poll_all(shop) + sum(change.version == 1 for change in happened) == len(happened)
    assert poll_all(shop) == 0
    names, values = database_rows(shop)
    rows = {row[0]: dict(zip(names, row, strict=True)) for row in values}
    removed = {change.fields["id"] for change in happened if change.kind == "removed"}
    assert removed
    assert {*rows} == {change.fields["id"] for change in happened} - removed
    for change in happened:
        if change.kind == "delivered" and change.fields["id"] in rows:
            assert rows[change.fields["id"]]["delivery_hours"] == change.fields["delivery_hours"]
        if change.kind == "placed" and change.fields["id"] in rows:
            row = rows[change.fields["id"]]
            assert (row["distance"], row[PROMISED]) == (change.fields["distance"], change.fields.get(PROMISED))
            assert row["placed_at"] == change.at.replace(tzinfo=None)


def event(operation: str, order_id: int, position: tuple[str, int], **values: Any) -> str:
    """Return the text of an event as Debezium writes it."""
    kinds = {"id": "int64", "distance": "double", "placed_at": "int64", PROMISED: "double"}
    names = ["id", "placed_at", "distance", *([PROMISED] if PROMISED in values else [])]
    meaning = {"placed_at": {"name": "io.debezium.time.MicroTimestamp"}}
    fields = [{"field": name, "type": kinds[name], **meaning.get(name, {})} for name in names]
    row = {"id": order_id, **values}
    payload = {
        "op": operation,
        "before": row if operation == "d" else None,
        "after": None if operation == "d" else row,
        "source": {"file": position[0], "pos": position[1], "row": 0, "ts_ms": 1_000},
    }
    schema = {"fields": [{"field": "before", "fields": fields}, {"field": "after", "fields": fields}]}
    return json.dumps({"schema": schema, "payload": payload})


def test_the_newest_change_of_each_order_wins_whatever_comes_again(example_spark: SparkSession) -> None:
    first, last = "binlog.000001", "binlog.000002"
    messages = [
        event("u", 1, (last, 50), distance=3.0, placed_at=1_500_000, promised_hours=24.0),
        event("c", 1, (first, 900), distance=1.0, placed_at=1_500_000),
        event("c", 2, (first, 100), distance=5.0, placed_at=0),
        event("u", 2, (first, 100), distance=6.0, placed_at=0),  # of the same transaction
        event("c", 3, (first, 100), distance=7.0, placed_at=0),
        event("d", 3, (first, 100), distance=7.0, placed_at=0),
    ]
    frame = example_spark.createDataFrame([*enumerate(messages)], "offset BIGINT, value STRING")
    read = newest_changes(read_changes(frame, columns_of(frame)))
    assert read.columns == ["id", "placed_at", "distance", PROMISED, *POSITION, OPERATION, COMMITTED]
    rows = {row["id"]: row for row in read.withColumn("placed_at", read["placed_at"].cast("double")).collect()}
    assert tuple(rows[1]) == (1, 1.5, 3.0, 24.0, last, 50, 0, "u", 1_000)
    assert tuple(rows[2]) == (2, 0.0, 6.0, None, first, 100, 3, "u", 1_000)
    assert tuple(rows[3]) == (3, None, None, None, first, 100, 5, "d", 1_000)


def test_a_text_that_is_no_event_fails_and_null_messages_do_not(example_spark: SparkSession) -> None:
    def messages(*values: str | None) -> DataFrame:
        return example_spark.createDataFrame([(value,) for value in values], "value STRING")

    assert columns_of(messages(None)) == {}
    for text in ("no event", '{"payload": {}}'):
        with pytest.raises(ValueError, match=r"A message of the topic has no schema; set value\.converter\.schemas"):
            columns_of(messages(None, text))
