"""Each batch once in Kafka, with either library, whatever breaks between the two commits."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine

from driftline.database import in_transaction
from driftline.errors import DatabaseUnavailable, KafkaUnavailable
from driftline.ledger import BatchKind, Consumer
from driftline.settings import DatabaseSettings
from driftline.tables import pending_batches
from flaskapp.confluent_publisher import ConfluentPublisher
from flaskapp.kafka_python_publisher import KafkaPythonPublisher
from flaskapp.publisher import Publication, Publisher, Route
from flaskapp.records import RecordBatch, write_records
from flaskapp.relay import open_relay, relay_once
from flaskapp.simulated_history import SimulatedHistory
from stack import paths
from tests.integration.flaskapp.observed import contents, markers, published, record_ids, wait_until

NOW = datetime(2026, 3, 1, tzinfo=UTC)
Make = Callable[[Route], Publisher]


@pytest.fixture(params=[ConfluentPublisher, KafkaPythonPublisher])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes publishers, of each library in turn; they are closed at the end."""
    made: list[Publisher] = []

    def one(route: Route) -> Publisher:
        made.append(request.param(route))
        return made[-1]

    yield one
    for publisher in made:
        publisher.close()


@pytest.fixture
def ids(engine: Engine) -> list[str]:
    """Ids of three batches of records that wait for the relay."""
    frame = SimulatedHistory(3, 40, date(2026, 1, 31), 7, 3).batches(lambda _: None)
    whole = next(frame).frame
    batches = [RecordBatch(f"stream/x/{n}", BatchKind.RECORDS, whole.iloc[n::3]) for n in range(3)]
    for batch in batches:
        _write(engine, batch)
    return [batch.id for batch in batches]


def _write(engine: Engine, batch: RecordBatch) -> None:
    in_transaction(engine, lambda connection: write_records(connection, batch, NOW, [Consumer.RELAY]))


def relay_all(engine: Engine, publisher: Publisher) -> list[int]:
    """Open a relay and let it work until nothing is pending; give the records published of each batch.

    MySQL holds a killed relay's lock until it notices the kill: until then there is nothing to claim.
    """
    out = open_relay(engine, publisher)
    done: list[int] = []

    def work() -> bool:
        relayed = relay_once(engine, publisher, out)
        done.extend([relayed.records] if relayed else [])
        return not contents(engine, pending_batches)

    wait_until(work)
    publisher.close()
    return done


def require_each_once(engine: Engine, route: Route, ids: list[str]) -> None:
    assert sorted(record["record_id"] for record in published(route)) == record_ids(engine)
    assert sorted(markers(route)) == ids
    assert contents(engine, pending_batches) == []


def test_each_batch_is_published_once_and_settled(engine: Engine, route: Route, ids: list[str], make: Make) -> None:
    assert len(relay_all(engine, make(route))) == 3
    require_each_once(engine, route, ids)
    assert relay_all(engine, make(route)) == []
    require_each_once(engine, route, ids)
    assert {record["batch_id"] for record in published(route)} == set(ids)


class Broken:
    """A publisher that breaks at its second batch, before or after Kafka has committed it."""

    def __init__(self, publisher: Publisher, *, after: bool, error: Exception) -> None:
        self._publisher, self._after, self._error = publisher, after, error
        self._count = 0
        self.probe, self.open, self.markers, self.close = (
            publisher.probe,
            publisher.open,
            publisher.markers,
            publisher.close,
        )

    def publish(self, publication: Publication) -> None:
        self._count += 1
        if self._count == 2 and not self._after:
            raise self._error
        self._publisher.publish(publication)
        if self._count == 2:
            raise self._error


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("error", [KafkaUnavailable(), DatabaseUnavailable()])
def test_a_relay_that_dies_is_followed_by_one_that_knows(
    engine: Engine, route: Route, ids: list[str], make: Make, after: bool, error: Exception
) -> None:
    with pytest.raises(type(error)):
        relay_all(engine, Broken(make(route), after=after, error=error))
    assert len(contents(engine, pending_batches)) == 2
    done = relay_all(engine, make(route))
    assert done.count(0) == int(after), "what is out already is settled without being sent again"
    require_each_once(engine, route, ids)


def test_a_relay_that_was_overtaken_cannot_publish(engine: Engine, route: Route, ids: list[str], make: Make) -> None:
    old = make(route)
    out = open_relay(engine, old)
    relay_once(engine, old, out)
    new = make(route)
    taken_over = open_relay(engine, new)
    with pytest.raises(KafkaUnavailable):
        relay_once(engine, old, out)
    while relay_once(engine, new, taken_over):
        pass
    require_each_once(engine, route, ids)
    new.close()


def test_a_transaction_under_way_is_not_seen(engine: Engine, route: Route, ids: list[str], make: Make) -> None:
    """What a predecessor had sent but not committed is thrown away when it is fenced."""
    half = ConfluentPublisher(route)
    half.open()
    assert half._producer
    half._producer.begin_transaction()
    half._producer.produce(route.records_topic, b'{"record_id": "half"}', b"key")
    half._producer.produce(route.batches_topic, b"{}", ids[0].encode())
    assert half._producer.flush(10) == 0
    relay_all(engine, make(route))
    require_each_once(engine, route, ids)


@pytest.mark.parametrize("missing", ["records", "batches"])
def test_a_missing_topic_is_named(route: Route, make: Make, missing: str) -> None:
    topics = {"records_topic": route.records_topic, "batches_topic": route.batches_topic}
    there = {**topics, f"{missing}_topic": "nowhere"}
    with pytest.raises(KafkaUnavailable, match="no topic nowhere"):
        make(Route(route.bootstrap_servers, **there, transactional_id="x")).probe()


def test_a_broker_that_is_away_is_unavailable(make: Make) -> None:
    publisher = make(Route("127.0.0.1:1", "a", "b", "c"))
    for action in (publisher.probe, publisher.open):
        with pytest.raises(KafkaUnavailable):
            action()


RELAY = """
import os, signal, sys
from driftline.database import make_engine
from driftline.settings import DatabaseSettings
from flaskapp.confluent_publisher import ConfluentPublisher
from flaskapp.publisher import Route
from flaskapp.relay import open_relay, relay_once

class Doomed(ConfluentPublisher):
    count = 0
    def publish(self, publication):
        self.count += 1
        if self.count == 2:
            original = self._producer.commit_transaction
            class Producer:
                def __getattr__(proxy, name):
                    return getattr(producer, name)
                def commit_transaction(proxy, *a):
                    if WHEN == "after":
                        original(*a)
                    os.kill(os.getpid(), signal.SIGKILL)
            producer, self._producer = self._producer, Producer()
        super().publish(publication)

WHEN = sys.argv[5]
engine, publisher = make_engine(DatabaseSettings()), Doomed(Route(*sys.argv[1:5]))
out = open_relay(engine, publisher)
while relay_once(engine, publisher, out):
    pass
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_relay_killed_around_the_commit_sends_nothing_twice(
    engine: Engine, database_settings: DatabaseSettings, route: Route, ids: list[str], when: str
) -> None:
    database = {
        "DB_HOST": database_settings.host,
        "DB_PORT": str(database_settings.port),
        "DB_USER": database_settings.user,
        "DB_PASSWORD": database_settings.password.get_secret_value(),
        "DB_NAME": database_settings.name,
    }
    arguments = (route.bootstrap_servers, route.records_topic, route.batches_topic, route.transactional_id, when)
    done = subprocess.run(
        [sys.executable, "-c", RELAY, *arguments],
        cwd=paths.ROOT,
        env={**os.environ, **database, "PYTHONPATH": "src:."},
        check=False,
        timeout=120,
    )
    assert done.returncode == -signal.SIGKILL
    done_by_the_next = relay_all(engine, ConfluentPublisher(route))
    assert done_by_the_next.count(0) == int(when == "after")
    require_each_once(engine, route, ids)
