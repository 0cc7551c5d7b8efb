"""The lakehouse example: its pipeline while processes are killed, and the whole of it, as `make example` runs it."""

import argparse
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from pyspark.sql import SparkSession
from sqlalchemy import Executable, delete, insert, select, update
from sqlalchemy.exc import DBAPIError

from devtools.generators.dashboards import LAKEHOUSE
from examples.lakehouse import comparison
from examples.lakehouse.__main__ import score
from examples.lakehouse.capture.pipeline_metrics import COPY
from examples.lakehouse.hudi import step
from examples.lakehouse.lake import predictions
from examples.lakehouse.lake.iceberg import lake_session
from examples.lakehouse.model.scoring import SentChanges
from examples.lakehouse.pipeline import Pipeline, start_pipeline
from examples.lakehouse.shop.orders import ORDERS, TOPIC
from examples.lakehouse.shop.simulation import ShopPlan
from examples.monitor_api import call, erase_rows, wait_for
from examples.processes import BackgroundProcess
from examples.servers import Servers, start_servers
from stack.paths import ROOT
from tests.examples.runs import Example, run_example, verdicts
from tests.integration.deploy import prometheus_checks
from tests.waiting import wait_until

pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"  # pyspark leaves them open
)
SECONDS = 900
PLAN = ShopPlan()
IDS, TRANSACTIONS, WAREHOUSE = 60, 40, "nørth"
"""The ids that random changes are about, how many transactions a round has, and where the inserted orders are."""
PLACE = ("batch_number", "batch_position")
DEPLOYED = ROOT / "examples" / "lakehouse" / "prometheus"
RULES = DEPLOYED / "lakehouse.rules.yml"


def stored_rows(example: Example) -> int:
    """Return how many new rows the monitor's ingest log lists."""
    answer = example.isolated.call("monitor", "GET", "/api/v1/models/lakehouse/ingest?most=100")
    return sum(int(entry["new"]) for entry in answer.json()["entries"])


def test_the_new_unit_of_the_api_is_found(lakehouse: Example) -> None:
    assert lakehouse.output.count("Shop, copy and lake have the same rows.") == 4
    assert "promised_hours. It is added." in lakehouse.output
    printed = verdicts(lakehouse.output)
    by_day = {datetime.fromisoformat(day).replace(tzinfo=UTC): verdict for day, verdict in printed}
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
    assert re.search(r"^orders_cow: [\d,]+ orders, \d+ deleted;", lakehouse.output, re.M)
    assert re.search(r"^Compacted lake\.shop\.deleted_orders: \d files into 1\.$", lakehouse.output, re.M)


def test_a_second_run_adds_nothing(lakehouse: Example) -> None:
    stored = stored_rows(lakehouse)
    assert stored > PLAN.monitored * PLAN.orders * 1.9, "a prediction and a label for almost every order"
    again = run_example("lakehouse", lakehouse.var, "--without-hudi")
    assert re.findall(r"^(\d+) (?:changes polled|orders scored)", again, re.M) == ["0"] * 7
    assert verdicts(again) == verdicts(lakehouse.output)
    assert stored_rows(lakehouse) == stored


@pytest.fixture(scope="module")
def servers(lakehouse: Example) -> Iterator[Servers]:
    """The servers of the example, which run; the variables of its object store are removed again."""
    options = argparse.Namespace(var=lakehouse.var, any_port=True)
    with patch.dict(os.environ, lakehouse.isolated.environment, clear=True):
        yield start_servers(options, ("monitor",), alerts="http://127.0.0.1:9", kafka=True)


@pytest.fixture(scope="module")
def pipeline(servers: Servers) -> Pipeline:
    """The pipeline of the example, which runs."""
    pipeline = start_pipeline(servers, PLAN)
    pipeline.wait_until_ready()
    return pipeline


@pytest.fixture(scope="module")
def spark(pipeline: Pipeline) -> Iterator[SparkSession]:
    with lake_session("tests", pipeline.objects, pipeline.database.port, pipeline.catalogue_password) as session:
        yield session


def test_archived_predictions_are_kept_row_for_row(servers: Servers, spark: SparkSession) -> None:
    objects = predictions.archive(servers)
    assert len(objects) > 1
    list(predictions.keep(spark, objects))
    first = rows_of_table(spark)
    pd.testing.assert_frame_equal(first, rows_of_objects(objects), check_dtype=False)
    snapshot = snapshots(spark)[-1]

    list(predictions.keep(spark, objects))
    assert snapshots(spark)[-1] == snapshot, "the same objects again change nothing"
    erased = first["id"].iloc[7]
    call(servers.monitor, "/api/v1/models/lakehouse/deletions", method="POST", body={"ids": [erased]})
    objects = predictions.archive(servers)
    (line,) = predictions.keep(spark, objects)
    rewritten = rf" {len(first) - 1:,} archived predictions: of (\d+) new objects, and no longer of \1\.$"
    assert re.search(rewritten, line), "the objects of each day that the row's batch has rows of"
    now = rows_of_table(spark)
    pd.testing.assert_frame_equal(now, rows_of_objects(objects), check_dtype=False)
    pd.testing.assert_frame_equal(now, first[first["id"] != erased].reset_index(drop=True), check_dtype=False)
    pd.testing.assert_frame_equal(rows_of_table(spark, **{"snapshot-id": f"{snapshot}"}), first)

    list(predictions.expire(spark))
    assert len(snapshots(spark)) == 1
    pd.testing.assert_frame_equal(rows_of_table(spark), now)


def rows_of_table(spark: SparkSession, **options: str) -> pd.DataFrame:
    """Return the archived predictions of the lake, now or of a snapshot, in the order of their storage."""
    rows = spark.read.options(**options).table(predictions.PREDICTIONS).drop(predictions.OBJECT)
    frame = rows.orderBy(*PLACE).toPandas()
    instants = frame.select_dtypes("datetime").columns
    return frame.assign(**{name: frame[name].dt.tz_localize("UTC").astype("datetime64[us, UTC]") for name in instants})


def rows_of_objects(objects: Sequence[predictions.ArchivedObject]) -> pd.DataFrame:
    """Return the rows of archived objects, as pandas reads them."""
    rows = pd.concat([pd.read_parquet(stored.address) for stored in objects])
    return rows.sort_values([*PLACE], ignore_index=True)


def snapshots(spark: SparkSession) -> list[int]:
    """Return the snapshots of the archived predictions in their order."""
    rows = spark.table(f"{predictions.PREDICTIONS}.snapshots").orderBy("committed_at").collect()
    return [row["snapshot_id"] for row in rows]


def test_orders_of_an_erased_customer_leave_monitor_and_archive(
    servers: Servers, pipeline: Pipeline, spark: SparkSession
) -> None:
    list(predictions.keep(spark, predictions.archive(servers)))
    score(servers, pipeline, spark)
    owner = pipeline.database.engine("owner")
    monitored = {*map(int, rows_of_table(spark)["id"])}
    with owner.begin() as connection:
        customer = connection.execute(select(ORDERS.c.customer_id).where(ORDERS.c.id == max(monitored))).scalar_one()
        of_customer = {*connection.execute(select(ORDERS.c.id).where(ORDERS.c.customer_id == customer)).scalars()}
        connection.execute(delete(ORDERS).where(ORDERS.c.customer_id == customer))
    owner.dispose()
    erased = of_customer & monitored
    assert erased
    wait_until_equal(pipeline, spark)
    assert score(servers, pipeline, spark) == SentChanges(erased=len(erased))
    assert erased_by_hand(servers, *of_customer) == 0

    objects = predictions.archive(servers)
    list(predictions.keep(spark, objects))
    list(predictions.expire(spark))
    for rows in (rows_of_objects(objects), rows_of_table(spark)):
        assert {*map(int, rows["id"])} == monitored - erased

    send_again(pipeline)
    pipeline.start()
    pipeline.wait_until_ready()
    wait_for(lambda: pipeline.has_applied_all(COPY), "The end of the topic", SECONDS)
    assert score(servers, pipeline, spark) == SentChanges()
    assert erased_by_hand(servers, *of_customer) == 0


def test_an_order_whose_deletion_comes_first_is_not_sent(
    servers: Servers, pipeline: Pipeline, spark: SparkSession
) -> None:
    events = [json.loads(value) for _, value in messages_of_topic(pipeline.connect.kafka) if value]
    inserted = next(event for event in reversed(events) if event["payload"]["op"] == "c")
    deleted = next(event for event in reversed(events) if event["payload"]["op"] == "d")
    order_id, source = 10**9, {**inserted["payload"]["source"]}
    later = {**source, "pos": source["pos"] + 1}
    inserted["payload"] |= {"after": {**inserted["payload"]["after"], "id": order_id}}
    deleted["payload"] |= {"before": {**deleted["payload"]["before"], "id": order_id}, "source": later}
    for event in (deleted, inserted, deleted):  # the copy takes events as they come: the last one is for it
        send(pipeline, [(event_key(pipeline, order_id), json.dumps(event).encode())])
        wait_for(lambda: pipeline.has_applied_all(COPY), "The end of the topic", SECONDS)
        assert score(servers, pipeline, spark) == SentChanges()
    assert erased_by_hand(servers, order_id) == 0
    wait_until_equal(pipeline, spark)


def event_key(pipeline: Pipeline, order_id: int) -> bytes:
    """Return the key of the events of an order, as those of the topic are."""
    key = json.loads(messages_of_topic(pipeline.connect.kafka)[-1][0] or b"")
    return json.dumps({**key, "payload": {"id": order_id}}).encode()


def erased_by_hand(servers: Servers, *order_ids: int) -> int:
    """Have the monitor erase the rows with some ids, and return how many it had."""
    return erase_rows(servers.monitor, "lakehouse", [f"{order_id}" for order_id in order_ids])


def test_the_rules_do_what_their_tests_say() -> None:
    prometheus_checks.skip_without_programs()
    prometheus_checks.check_rules(RULES, DEPLOYED / "lakehouse.rules.test.yml")


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
        "items": int(rng.integers(1, 9)), "weight_kg": float(rng.uniform(0, 20)), "warehouse": WAREHOUSE,
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

    wait_for(equal, "Equality", SECONDS, process=pipeline.stream)


def test_copies_are_equal_after_random_changes_and_kills(pipeline: Pipeline, spark: SparkSession) -> None:
    rng = np.random.default_rng(1)
    for process in (pipeline.connect.process, pipeline.stream, pipeline.database.process):
        change_at_random(pipeline, rng, killed=process)
        pipeline.start()
        pipeline.wait_until_ready()
    wait_until_equal(pipeline, spark)
    columns, rows = comparison.database_rows(pipeline.database.engine("auditor"))
    changed = [row for row in rows if row[columns.index("warehouse")] == WAREHOUSE]
    assert len(changed) > IDS // 4


def test_a_new_column_of_the_source_reaches_both_copies(pipeline: Pipeline, spark: SparkSession) -> None:
    owner = pipeline.database.engine("owner")
    with owner.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE orders ADD COLUMN gift_wrap DOUBLE NULL")
        connection.exec_driver_sql("UPDATE orders SET gift_wrap = 24.5 WHERE id < 30")
    owner.dispose()
    wait_until_equal(pipeline, spark)
    columns, rows = comparison.database_rows(pipeline.database.engine("auditor"))
    assert {row[columns.index("gift_wrap")] for row in rows} == {None, 24.5}


def test_changes_that_come_late_or_again_change_nothing_in_the_lake(pipeline: Pipeline, spark: SparkSession) -> None:
    columns, rows = comparison.database_rows(pipeline.database.engine("auditor"))
    assert any(value is None for _, value in send_again(pipeline)), "deletions have tombstones"
    wait_for(pipeline.has_applied_all, "The end of the topic", SECONDS)
    assert Counter(comparison.lake_rows(spark, columns)) == Counter(rows)


def test_the_hudi_tables_have_the_rows_of_the_source_after_all_of_it(pipeline: Pipeline, tmp_path: Path) -> None:
    """The kills, the new column, and the changes that came late and again."""
    hudi = step.command(pipeline.objects.address, pipeline.connect.kafka, pipeline.folder)
    step.output((*hudi, "write", "rows", "--folder", str(tmp_path)), {**os.environ, **pipeline.objects.variables})
    columns, rows = comparison.database_rows(pipeline.database.engine("auditor"))
    assert len(rows) > IDS
    for table in ("orders_cow", "orders_mor"):
        stored = pq.read_table(tmp_path / table).to_pylist()
        assert Counter(in_utc(order[name] for name in columns) for order in stored) == Counter(rows)


def in_utc(values: Iterable[Any]) -> comparison.Row:
    """Return values as the database gives them: instants are in UTC without a zone."""
    return tuple(
        value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) and value.tzinfo else value
        for value in values
    )


def test_alerts_fire_while_a_sink_is_stopped_and_every_panel_has_data(pipeline: Pipeline, tmp_path: Path) -> None:
    prometheus_checks.skip_without_programs()
    targets = json.loads((pipeline.folder / "scrape_targets.json").read_text())[0]["targets"]
    jobs = {"lakehouse": targets, "lakehouse-hudi": []}
    prometheus_checks.write_rules(RULES, tmp_path)
    prometheus_checks.write_config(DEPLOYED / "prometheus.yml", tmp_path, jobs, seconds=2)
    send_again(pipeline, most=10)
    with prometheus_checks.running_prometheus(tmp_path) as prometheus:
        prometheus.wait_for_panels([LAKEHOUSE])
        wait_until(lambda: ("LakehouseSinkStopped", COPY) in prometheus.firing())
        pipeline.stream.kill()
        wait_until(lambda: prometheus.firing() == {("LakehouseStreamDown", "")})
        pipeline.start()
        pipeline.wait_until_ready()
        wait_for(lambda: pipeline.has_applied_all(COPY), "The end of the topic", SECONDS)
        wait_until(lambda: not prometheus.firing())


def send_again(pipeline: Pipeline, most: int = 0) -> list[tuple[bytes | None, bytes | None]]:
    """Kill Connect, whose sink knows no order but the topic's, and send all changes again, or at most the last ones."""
    pipeline.connect.process.kill()
    messages = messages_of_topic(pipeline.connect.kafka)[-most:]
    send(pipeline, messages)
    return messages


def send(pipeline: Pipeline, messages: Sequence[tuple[bytes | None, bytes | None]]) -> None:
    """Send keys and values to the topic."""
    producer = Producer({"bootstrap.servers": pipeline.connect.kafka, "log_level": 3})
    for key, value in messages:
        producer.produce(TOPIC, value, key)
    assert producer.flush(SECONDS) == 0


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
