"""What a test sees of the simulator from outside: topics as a careful reader sees them, tables by their content."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from sqlalchemy import Engine, Table, func, select

from churn.columns import Cdr
from churn.tables import cdr
from driftline.publishing.publisher import Route
from tests.waiting import wait_until

SECONDS = 60.0


def wait_for_state(client: Any, state: str, seconds: float = SECONDS) -> Any:
    """Return the stream's status once it has the state."""
    wait_until(lambda: client.get("/stream").json["state"] in {state, "failed"}, seconds)
    status = client.get("/stream").json
    assert status["state"] == state, status
    return status


def published(route: Route) -> list[dict[str, Any]]:
    """Read the records that a `read_committed` reader sees, to the end of the topic."""
    return [json.loads(message.value) for message in messages(route, route.records_topic)]


def messages(route: Route, topic: str) -> list[Any]:
    """Read all messages of a topic that a `read_committed` reader sees."""
    return _read(route.bootstrap_servers, topic)


def markers(route: Route) -> list[str]:
    """Read the ids of the batches that a `read_committed` reader sees."""
    return [message.key.decode() for message in _read(route.bootstrap_servers, route.batches_topic)]


def _read(bootstrap_servers: str, topic: str) -> list[Any]:
    """Read to the end that an uncommitted reader sees: what a commit has decided on becomes readable a little later."""
    with _consumer(bootstrap_servers, "read_committed") as consumer:
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        with _consumer(bootstrap_servers, "read_uncommitted") as uncommitted:
            ends = uncommitted.end_offsets(partitions)
        read: list[Any] = []
        while any(consumer.position(partition) < ends[partition] for partition in partitions):
            read += [message for messages in consumer.poll(timeout_ms=200).values() for message in messages]
        return read


@contextmanager
def _consumer(bootstrap_servers: str, isolation: str) -> Iterator[KafkaConsumer]:
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap_servers,
        isolation_level=isolation,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    try:
        yield consumer
    finally:
        consumer.close()


def contents(engine: Engine, table: Table, *leave_out: str) -> list[tuple[Any, ...]]:
    """Read a table by its key, without the columns that may differ between two runs of the same."""
    columns = [column for column in table.c if column.name not in {"batch_number", *leave_out}]
    with engine.connect() as connection:
        rows = connection.execute(select(*columns).order_by(*table.primary_key.columns))
        return [tuple(row) for row in rows]


def record_count(engine: Engine) -> int:
    """Count the records in MySQL."""
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(cdr)).scalar_one())


def record_ids(engine: Engine) -> list[str]:
    """List the ids of the records in MySQL, sorted."""
    with engine.connect() as connection:
        return sorted(connection.execute(select(cdr.c[Cdr.RECORD_ID])).scalars())
