"""The lakehouse example: its pipeline while processes are killed, and the whole of it, as `make example` runs it."""

import argparse
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from unittest.mock import patch
from urllib.request import urlopen

import numpy as np
import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from pyspark.sql import SparkSession
from sqlalchemy import Executable, delete, insert, update
from sqlalchemy.exc import DBAPIError

from examples.lakehouse import comparison
from examples.lakehouse.lake import lake_session
from examples.lakehouse.orders import ORDERS, TOPIC
from examples.lakehouse.pipeline import Pipeline, start_pipeline
from examples.lakehouse.poller import add_promised_hours
from examples.lakehouse.simulation import Plan
from examples.monitor_api import wait_for
from examples.processes import BackgroundProcess, stop_all
from examples.servers import start_servers
from stack.testing.isolated_stack import IsolatedStack
from tests.examples.runs import Example, run_example

pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"  # pyspark leaves them open
)
SECONDS = 900
PLAN = Plan()
IDS, TRANSACTIONS = 60, 40
"""The ids that random changes are about, and how many transactions a round has."""


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """Everything but the monitor, on servers of its own; the variables of the object store are removed again."""
    var = tmp_path_factory.mktemp("lakehouse-pipeline")
    isolated = IsolatedStack(var / "stack")
    options = argparse.Namespace(var=var, any_port=True)
    with patch.dict(os.environ, isolated.environment, clear=True):
        try:
            yield start_pipeline(start_servers(options, (), alerts="http://127.0.0.1:9", kafka=True), PLAN)
        finally:
            stop_all(var / "processes")
            isolated.stack("clean")


@pytest.fixture(scope="module")
def spark(pipeline: Pipeline) -> Iterator[SparkSession]:
    with lake_session("tests", pipeline.objects, pipeline.database.port, pipeline.catalogue_password) as session:
        yield session


def change_at_random(pipeline: Pipeline, rng: np.random.Generator, *, killed: BackgroundProcess) -> None:
    """Insert, update and delete orders in some transactions, and kill a process in the midst of them."""
    engine = pipeline.database.engine("poller")
    for number in range(TRANSACTIONS):
        if number == TRANSACTIONS // 2:
            killed.kill()
        try:
            with engine.begin() as connection:
                for _ in range(rng.integers(1, 6)):
                    connection.execute(random_statement(rng))
        except DBAPIError:  # the database was killed, or has such an id
            pipeline.database.start()
    engine.dispose()


def random_statement(rng: np.random.Generator) -> Executable:
    """Return an insertion, an update or a deletion of one of a few ids, so that ids come back."""
    order_id, at = int(rng.integers(IDS)), datetime(2024, 1, 1, 12, 0, 0, int(rng.integers(1_000_000)))  # noqa: DTZ001  # UTC
    row = {
        "id": order_id, "customer_id": int(rng.integers(9)), "placed_at": at, "distance": float(rng.uniform(1, 900)),
        "items": int(rng.integers(1, 9)), "weight_kg": float(rng.uniform(0, 20)), "warehouse": "nørth",
        "express": int(rng.integers(2)), "updated_at": at,
    }  # fmt: skip
    choices = (
        insert(ORDERS).prefix_with("IGNORE").values(row),
        update(ORDERS).where(ORDERS.c.id == order_id).values(delivered_at=at, delivery_hours=row["distance"]),
        delete(ORDERS).where(ORDERS.c.id == order_id),
    )
    return choices[rng.choice(3, p=[0.5, 0.3, 0.2])]


def wait_until_equal(pipeline: Pipeline, spark: SparkSession) -> None:
    def equal() -> bool | None:
        pipeline.connect.runs()
        return not comparison.differences(pipeline.database, spark) or None

    wait_for(equal, "Equality", SECONDS)


def test_copies_are_equal_after_random_changes_and_kills(pipeline: Pipeline, spark: SparkSession) -> None:
    rng = np.random.default_rng(1)
    for process in (pipeline.connect.process, pipeline.stream, pipeline.database.process):
        change_at_random(pipeline, rng, killed=process)
        pipeline.start()
    wait_until_equal(pipeline, spark)
    _, rows = comparison.database_rows(pipeline.database.engine("auditor"))
    assert len(rows) > IDS // 4


def test_a_new_column_of_the_source_reaches_both_copies(pipeline: Pipeline, spark: SparkSession) -> None:
    add_promised_hours(pipeline.database.engine("owner"))
    engine = pipeline.database.engine("poller")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE orders SET promised_hours = 24.5 WHERE id < 30")
    engine.dispose()
    wait_until_equal(pipeline, spark)
    columns, rows = comparison.database_rows(pipeline.database.engine("auditor"))
    assert {row[columns.index("promised_hours")] for row in rows} == {None, 24.5}


def test_changes_that_come_late_or_again_change_nothing_in_the_lake(pipeline: Pipeline, spark: SparkSession) -> None:
    columns, rows = comparison.database_rows(pipeline.database.engine("auditor"))
    pipeline.connect.process.kill()  # its sink knows of no order but the topic's
    messages = messages_of_topic(pipeline.connect.kafka)
    assert any(value is None for _, value in messages), "deletions have tombstones"
    producer = Producer({"bootstrap.servers": pipeline.connect.kafka, "log_level": 3})
    for key, value in messages:
        producer.produce(TOPIC, value, key)
    assert producer.flush(SECONDS) == 0
    wait_for(lambda: at_the_end(pipeline), "The end of the topic", SECONDS)
    assert {*comparison.lake_rows(spark, columns)} == {*rows}


def messages_of_topic(kafka: str) -> list[tuple[bytes | None, bytes | None]]:
    """Return the keys and values of all changes until now."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "tests", "log_level": 3})
    try:
        partition = TopicPartition(TOPIC, 0, 0)
        _, end = consumer.get_watermark_offsets(partition, SECONDS)
        consumer.assign([partition])
        messages: list[Message] = []
        while len(messages) < end:
            messages.extend(consumer.consume(end - len(messages), 10))
        return [(message.key(), message.value()) for message in messages]
    finally:
        consumer.close()


def at_the_end(pipeline: Pipeline) -> bool | None:
    """Return whether the lake has all messages, as the stream's metrics say; None if not."""
    with urlopen(f"http://127.0.0.1:{pipeline.stream.port}/metrics", timeout=SECONDS) as answer:
        return 'lakehouse_messages_behind{sink="iceberg"} 0.0' in answer.read().decode() or None


def verdicts(output: str) -> dict[datetime, str]:
    """Return the verdict of each day by its start."""
    lines = re.findall(r"^(2024-\d\d-\d\d) +\d+  (\w+)", output, re.MULTILINE)
    return {datetime.fromisoformat(day).replace(tzinfo=UTC): verdict for day, verdict in lines}


def stored_rows(example: Example) -> int:
    """Return how many new rows the monitor's ingest log lists."""
    answer = example.isolated.call("monitor", "GET", "/api/v1/models/lakehouse/ingest?most=100")
    return sum(int(entry["new"]) for entry in answer.json()["entries"])


def test_the_new_unit_of_the_api_is_found(lakehouse: Example) -> None:
    assert lakehouse.output.count("Shop, copy and lake have the same rows.") == 4
    assert "promised_hours. It is added." in lakehouse.output
    by_day = verdicts(lakehouse.output)
    assert len(by_day) == PLAN.monitored
    assert PLAN.version_2_begin
    before = {verdict for day, verdict in by_day.items() if day < PLAN.version_2_begin}
    assert before == {"ok"}
    first = min(day for day, verdict in by_day.items() if verdict == "alert")
    assert (first - PLAN.version_2_begin).days <= 1
    assert "Alert delivered: lakehouse" in lakehouse.output


def test_the_run_shows_time_travel_changes_and_compaction(lakehouse: Example) -> None:
    assert re.search(
        r"^When the model was trained the lake had [\d,]+ orders; now it has [\d,]+\.$", lakehouse.output, re.M
    )
    assert re.search(r"^Changes since then: DELETE \d+, INSERT [\d,]+, UPDATE_AFTER [\d,]+", lakehouse.output, re.M)
    assert re.search(r"^Compacted lake\.shop\.deleted_orders: \d files into 1\.$", lakehouse.output, re.M)


def test_a_second_run_adds_nothing(lakehouse: Example) -> None:
    stored = stored_rows(lakehouse)
    assert stored > PLAN.monitored * PLAN.orders * 1.9, "a prediction and a label for almost every order"
    again = run_example("lakehouse", lakehouse.var)
    assert re.findall(r"^(\d+) (?:changes polled|orders scored)", again, re.M) == ["0"] * 7
    assert verdicts(again) == verdicts(lakehouse.output)
    assert stored_rows(lakehouse) == stored
