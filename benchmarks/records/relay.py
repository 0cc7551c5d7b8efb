"""The relay (MySQL to Kafka, one transaction per batch), relative to a plain librdkafka producer of the same bytes."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from confluent_kafka import Producer
from sqlalchemy import Connection, Engine, insert, select

from benchmarks.durable import databases
from benchmarks.measuring import Better, RatioTarget, Variant, alternate, conclude, machine, share, show, timed
from benchmarks.records.plan import NOW, plan_of
from churn.columns import Topic
from churn.ledger import RELAY
from driftline.publishing.confluent_publisher import ConfluentPublisher
from driftline.publishing.kafka_python_publisher import KafkaPythonPublisher
from driftline.publishing.publisher import BatchPublisher, Publication, Route
from driftline.settings import KafkaSettings
from driftline.store import tables
from driftline.store.database import in_transaction
from flaskapp.records import write_records
from flaskapp.relay.claimed_batches import ALLOW_LONG_TEXTS, messages
from flaskapp.relay.relay import Relay
from flaskapp.stream.source import StreamSource
from stack.servers.topics import create_topics
from stack.testing.temporary_servers import kafka_broker

STREAMS = ((10_000, 5), (1_000, 20))
"""Subscribers and days: a larger batch, and the default size."""
RUNS = 7
AIM = RatioTarget(0.8, Better.HIGHER)
LIBRARIES: dict[str, Callable[[Route], BatchPublisher]] = {
    "confluent-kafka": ConfluentPublisher,
    "kafka-python": KafkaPythonPublisher,
}


def fill(engine: Engine, subscribers: int, days: int) -> list[int]:
    """Write the batches of a stream; return their numbers in the ledger."""
    source = StreamSource(plan_of(subscribers, days))
    for number in range(1, days + 1):
        batch = source.records(number, NOW)
        in_transaction(engine, partial(write_records, batch=batch, now=NOW))
    with engine.connect() as connection:
        return list(connection.execute(select(tables.ledger.c.number)).scalars())


def publications(engine: Engine) -> list[Publication]:
    """Read all batches as the relay publishes them."""

    def read(connection: Connection) -> list[Publication]:
        connection.execute(ALLOW_LONG_TEXTS)
        batches = connection.execute(select(tables.ledger).order_by(tables.ledger.c.number)).mappings().all()
        return [Publication(batch["batch_id"], "{}", messages(connection, batch)) for batch in batches]

    return in_transaction(engine, read)


def relaying(engine: Engine, numbers: list[int], publisher: BatchPublisher) -> Variant:
    """Return a variant that relays every batch; marking them as pending again is not timed."""
    relay = Relay(engine, publisher)
    relay.open()
    pending = [{"consumer": RELAY, "batch_number": number} for number in numbers]

    def relay_all() -> None:
        relayed = [batch for lot in iter(relay.publish_next, []) for batch in lot]
        assert len(relayed) == len(numbers)
        assert all(batch.records for batch in relayed)

    def run() -> float:
        in_transaction(engine, lambda connection: connection.execute(insert(tables.pending_batches), pending))
        return timed(relay_all)

    return run


def publishing(ready: list[Publication], publisher: BatchPublisher) -> Variant:
    """Return a variant that publishes batches that were read before: the publisher without MySQL."""
    publisher.open()

    def publish_all() -> None:
        for publication in ready:
            publisher.publish([publication])

    return lambda: timed(publish_all)


def bare_producing(ready: list[Publication], route: Route) -> Variant:
    """Return a variant that sends the same bytes with librdkafka alone: one call and one transaction per batch."""
    producer = Producer(
        {"bootstrap.servers": route.bootstrap_servers, "transactional.id": route.transactional_id, "linger.ms": 20,
         "batch.size": 1_000_000, "queue.buffering.max.messages": 250_000}
    )  # fmt: skip
    producer.init_transactions(15)
    messages = [[{"key": key, "value": value} for key, value in batch.records] for batch in ready]

    def send() -> None:
        for batch in messages:
            producer.begin_transaction()
            assert producer.produce_batch(route.records_topic, batch) == len(batch)
            producer.produce(route.batches_topic, b"{}", b"bare")
            producer.commit_transaction(60)

    return lambda: timed(send)


def variants(engine: Engine, numbers: list[int], ready: list[Publication], route: Route) -> Mapping[str, Variant]:
    """Return all variants; each has a transactional id of its own."""
    bare = replace(route, transactional_id="bare")
    variants: dict[str, Variant] = {"bare librdkafka": bare_producing(ready, bare)}
    for name, library in LIBRARIES.items():
        routes = replace(route, transactional_id=f"relay-{name}"), replace(route, transactional_id=f"publish-{name}")
        variants[f"relay, {name}"] = relaying(engine, numbers, library(routes[0]))
        variants[f"publisher alone, {name}"] = publishing(ready, library(routes[1]))
    return variants


def compare(engine: Engine, route: Route, subscribers: int, days: int) -> None:
    """Print the shares for one size of batch."""
    numbers = fill(engine, subscribers, days)
    ready = publications(engine)
    rows = sum(len(batch.records) for batch in ready)
    size = sum(len(key) + len(value) for batch in ready for key, value in batch.records)
    print(f"  {days} batches of about {rows // days:,} records of {size // rows} bytes:")
    seconds = alternate(variants(engine, numbers, ready, route), RUNS)
    show(seconds, rows)
    bare = seconds.pop("bare librdkafka")
    for name, durations in seconds.items():
        conclude(f"{name}, as a share of bare librdkafka", share(durations, bare), AIM)


def main() -> None:
    """Print all shares."""
    print(f"The relay into Kafka ({machine()})")
    with tempfile.TemporaryDirectory(prefix="driftline-bench-") as folder, kafka_broker(Path(folder)) as broker:
        kafka = KafkaSettings.plain(broker.bootstrap_servers)
        create_topics(kafka)
        route = Route(kafka, Topic.CDR_RECORDS, Topic.CDR_BATCHES, "set for each")
        with databases() as fresh:
            for subscribers, days in STREAMS:
                compare(fresh(), route, subscribers, days)


if __name__ == "__main__":
    main()
