"""Each batch once in Kafka, with either library, whatever breaks between the two commits."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from kafka import KafkaAdminClient
from sqlalchemy import Engine, delete, insert, select

from churn.ledger import RELAY, ChurnBatchKind
from churn.tables import cdr
from driftline import spans
from driftline.errors import DatabaseUnavailable, KafkaUnavailable
from driftline.publishing.confluent_publisher import ConfluentPublisher
from driftline.publishing.publisher import BatchPublisher, Publication, Route
from driftline.settings import DatabaseSettings, KafkaSettings
from driftline.store.database import in_transaction
from driftline.store.ledger import claim_all
from driftline.store.tables import ledger, pending_batches
from flaskapp.history.simulated import SimulatedHistory
from flaskapp.records import RecordBatch, write_records
from flaskapp.relay import claimed_batches
from flaskapp.relay.relay import Relay
from stack import paths
from tests.integration.flaskapp.conftest import MakePublisher
from tests.integration.flaskapp.observed import contents, markers, messages, published, record_ids
from tests.integration.otlp import collected
from tests.waiting import wait_until

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def ids(engine: Engine) -> list[str]:
    """Ids of three batches of records that wait for the relay."""
    frame = SimulatedHistory(3, 40, date(2026, 1, 31), 7, 3).batches(lambda _: None)
    first = next(frame).frame
    batches = [RecordBatch(f"stream/x/{n}", ChurnBatchKind.RECORDS, first.iloc[n::3]) for n in range(3)]
    for batch in batches:
        _write(engine, batch)
    return [batch.id for batch in batches]


@pytest.fixture(params=[1, 2, 20])
def lots(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many batches are claimed at once: each alone (so the next is read ahead), two and one, all in one."""
    size: int = request.param
    monkeypatch.setattr(claimed_batches, "MOST_BATCHES", size)
    return size


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each batch is claimed alone."""
    monkeypatch.setattr(claimed_batches, "MOST_BATCHES", 1)


def _write(engine: Engine, batch: RecordBatch) -> None:
    in_transaction(engine, lambda connection: write_records(connection, batch, NOW, [RELAY]))


def relay_all(engine: Engine, publisher: BatchPublisher) -> list[int]:
    """Open a relay and let it work until nothing is pending; give the records published of each batch.

    MySQL holds a killed relay's lock until it notices the kill: until then there is nothing to claim.
    """
    relay = Relay(engine, publisher)
    relay.open()
    relayed: list[int] = []

    def work() -> bool:
        relayed.extend(batch.records for batch in relay.publish_next())
        return not contents(engine, pending_batches)

    try:
        wait_until(work)
    finally:
        relay.close()
    return relayed


def require_each_once(engine: Engine, route: Route, ids: list[str]) -> None:
    assert sorted(record["record_id"] for record in published(route)) == record_ids(engine)
    assert sorted(markers(route)) == ids
    assert contents(engine, pending_batches) == []


@pytest.mark.usefixtures("lots")
def test_each_batch_is_published_once_and_settled(
    engine: Engine, route: Route, ids: list[str], make_publisher: MakePublisher
) -> None:
    assert len(relay_all(engine, make_publisher(route))) == 3
    require_each_once(engine, route, ids)
    assert relay_all(engine, make_publisher(route)) == []
    require_each_once(engine, route, ids)
    assert {record["batch_id"] for record in published(route)} == set(ids)


@pytest.mark.usefixtures("lots")
def test_a_damaged_batch_is_a_dead_letter_and_holds_up_no_other(
    engine: Engine, route: Route, ids: list[str], make_publisher: MakePublisher
) -> None:
    """Made pending again once the table is corrected, it is published like any other."""
    assert route.dead_letters_topic
    removed = _remove_a_record(engine, ids[1])
    relay_all(engine, make_publisher(route))
    assert sorted(markers(route)) == [ids[0], ids[2]]
    assert {record["batch_id"] for record in published(route)} == {ids[0], ids[2]}
    (letter,) = messages(route, route.dead_letters_topic)
    assert letter.key.decode() == ids[1]
    assert "but the ledger has" in json.loads(letter.value)["reason"]
    with engine.begin() as connection:
        connection.execute(insert(cdr).values(removed))
        connection.execute(insert(pending_batches).values(consumer=RELAY, batch_number=removed["batch_number"]))
    relay_all(engine, make_publisher(route))
    require_each_once(engine, route, ids)


def _remove_a_record(engine: Engine, batch_id: str) -> dict[str, Any]:
    """Delete a record of a batch behind the ledger's back, and return it."""
    number = select(ledger.c.number).where(ledger.c.batch_id == batch_id).scalar_subquery()
    with engine.begin() as connection:
        row = connection.execute(select(cdr).where(cdr.c.batch_number == number).limit(1)).mappings().one()
        connection.execute(delete(cdr).where(cdr.c.record_id == row["record_id"]))
    return dict(row)


def test_messages_are_compressed_and_have_headers(
    engine: Engine, route: Route, ids: list[str], make_publisher: MakePublisher
) -> None:
    relay_all(engine, make_publisher(route))
    records = messages(route, route.records_topic)
    for message in [*records, *messages(route, route.batches_topic)]:
        headers = dict(message.headers)
        assert headers["schema_version"] == b"1"
        assert headers["batch_id"].decode() in ids
    assert all(json.loads(record.value)["batch_id"] == dict(record.headers)["batch_id"].decode() for record in records)
    content = sum(len(record.key) + len(record.value) for record in records)
    assert _stored_bytes(route) < content / 2


def test_messages_continue_the_trace_in_which_their_batch_was_written(
    engine: Engine, route: Route, make_publisher: MakePublisher
) -> None:
    """Also those of a relay that records none itself."""
    frame = next(SimulatedHistory(3, 40, date(2026, 1, 31), 7, 3).batches(lambda _: None)).frame
    with collected("simulator") as collector:
        for number, rows in enumerate((frame.iloc[:5], frame.iloc[5:9])):
            with spans.span("write batch"):
                _write(engine, RecordBatch(f"stream/x/{number}", ChurnBatchKind.RECORDS, rows))
            if number == 0:
                relay_all(engine, make_publisher(route))
    relay_all(engine, make_publisher(route))
    first, second = (span.trace for span in collector.named("write batch"))
    (sent,) = collector.named(f"send {route.records_topic}")
    assert sent.trace == first
    headers = [dict(message.headers) for message in messages(route, route.records_topic)]
    traces = {header["batch_id"].decode(): header["traceparent"].decode().split("-")[1] for header in headers}
    assert traces == {"stream/x/0": first, "stream/x/1": second}


def _stored_bytes(route: Route) -> int:
    """Return the size of the topic of records in the broker's log."""
    client = KafkaAdminClient(bootstrap_servers=route.bootstrap_servers)
    try:
        (described,) = client.describe_log_dirs()
        return sum(
            partition["partition_size"]
            for folder in described["log_dirs"]
            for topic in folder["topics"]
            if topic["name"] == route.records_topic
            for partition in topic["partitions"]
        )
    finally:
        client.close()


class Broken:
    """A publisher that breaks at its second transaction, before or after Kafka has committed it."""

    def __init__(self, publisher: BatchPublisher, *, after: bool, error: Exception) -> None:
        self._publisher, self._after, self._error = publisher, after, error
        self._count = 0
        self.probe, self.open, self.markers, self.close = (
            publisher.probe,
            publisher.open,
            publisher.markers,
            publisher.close,
        )

    def publish(self, publications: Sequence[Publication]) -> None:
        self._count += 1
        if self._count == 2 and not self._after:
            raise self._error
        self._publisher.publish(publications)
        if self._count == 2:
            raise self._error


@pytest.mark.usefixtures("one_by_one")
def test_prefetched_batches_stay_pending_after_close(
    engine: Engine, route: Route, ids: list[str], make_publisher: MakePublisher
) -> None:
    relay = Relay(engine, make_publisher(route))
    relay.open()
    assert [batch.batch_id for batch in relay.publish_next()] == ids[:1]
    relay.close()
    wait_until(lambda: _claimable(engine) == 2)


def _claimable(engine: Engine) -> int:
    with engine.connect() as connection:
        return len(claim_all(connection, RELAY, 3))


def test_a_claim_takes_the_first_batches_that_fit(
    engine: Engine, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is too large goes alone. Several texts of the server hold what one does."""
    all_batches = _lot(engine)
    assert [publication.batch_id for publication in all_batches] == ids
    monkeypatch.setattr(claimed_batches, "MOST_RECORDS", len(all_batches[0].records) + len(all_batches[1].records))
    assert [publication.batch_id for publication in _lot(engine)] == ids[:2]
    monkeypatch.setattr(claimed_batches, "MOST_RECORDS", 1)
    monkeypatch.setattr(claimed_batches, "MOST_JOINED_RECORDS", 1)
    assert [sorted(publication.records) for publication in _lot(engine)] == [sorted(all_batches[0].records)]


def _lot(engine: Engine) -> Sequence[Publication]:
    claimed = claimed_batches.claim_batches(engine)
    assert claimed
    publications = claimed.read()
    claimed.release()
    return publications


@pytest.mark.usefixtures("one_by_one")
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("error", [KafkaUnavailable(), DatabaseUnavailable()])
def test_a_successor_knows_what_was_published(
    engine: Engine, route: Route, ids: list[str], make_publisher: MakePublisher, after: bool, error: Exception
) -> None:
    with pytest.raises(type(error)):
        relay_all(engine, Broken(make_publisher(route), after=after, error=error))
    assert len(contents(engine, pending_batches)) == 2
    relayed = relay_all(engine, make_publisher(route))
    assert relayed.count(0) == int(after), "what is out already is settled without being sent again"
    require_each_once(engine, route, ids)


@pytest.mark.usefixtures("one_by_one")
def test_a_fenced_relay_cannot_publish(
    engine: Engine, route: Route, ids: list[str], make_publisher: MakePublisher
) -> None:
    old, new = Relay(engine, make_publisher(route)), Relay(engine, make_publisher(route))
    old.open()
    old.publish_next()
    new.open()
    with pytest.raises(KafkaUnavailable):
        old.publish_next()
    old.close()
    wait_until(lambda: not new.publish_next() and not contents(engine, pending_batches))
    require_each_once(engine, route, ids)
    new.close()


def test_an_open_transaction_is_not_visible(
    engine: Engine, route: Route, ids: list[str], make_publisher: MakePublisher
) -> None:
    """What a predecessor had sent but not committed is thrown away when it is fenced."""
    half = ConfluentPublisher(route)
    half.open()
    assert half._producer
    half._producer.begin_transaction()
    half._producer.produce(route.records_topic, b'{"record_id": "half"}', b"key")
    half._producer.produce(route.batches_topic, b"{}", ids[0].encode())
    assert half._producer.flush(10) == 0
    relay_all(engine, make_publisher(route))
    require_each_once(engine, route, ids)


def test_markers_behind_an_undecided_transaction_are_waited_for(route: Route, make_publisher: MakePublisher) -> None:
    """A commit becomes readable a little later; who took the readable end for the end would publish a batch twice."""
    undecided = ConfluentPublisher(replace(route, transactional_id=f"{route.transactional_id}-undecided"))
    undecided.open()
    assert undecided._producer
    undecided._producer.begin_transaction()
    undecided._producer.produce(route.batches_topic, b"{}", b"undecided")
    assert undecided._producer.flush(10) == 0
    publisher = make_publisher(route)
    publisher.open()
    publisher.publish([Publication("committed", "{}", [(b"key", b"{}")])])
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(publisher.markers)
        with pytest.raises(TimeoutError):
            reading.result(timeout=3.0)
        undecided._producer.commit_transaction(10)
        assert reading.result(timeout=30.0) == {"undecided", "committed"}


@pytest.mark.parametrize("missing", ["records", "batches"])
def test_a_missing_topic_is_named(route: Route, make_publisher: MakePublisher, missing: str) -> None:
    topics = {"records_topic": route.records_topic, "batches_topic": route.batches_topic}
    topics_of_route = {**topics, f"{missing}_topic": "nowhere"}
    with pytest.raises(KafkaUnavailable, match="no topic nowhere"):
        make_publisher(Route(route.kafka, **topics_of_route, transactional_id="x")).probe()


def test_a_stopped_broker_is_unavailable(make_publisher: MakePublisher) -> None:
    publisher = make_publisher(Route(KafkaSettings.plain("127.0.0.1:1"), "a", "b", "c"))
    for action in (publisher.probe, publisher.open):
        with pytest.raises(KafkaUnavailable):
            action()


KILLED_RELAY = """
import os, signal, sys
from driftline.store.database import make_engine
from driftline.settings import DatabaseSettings, KafkaSettings
from flaskapp.relay import claimed_batches
from driftline.publishing.confluent_publisher import ConfluentPublisher
from driftline.publishing.publisher import Route
from flaskapp.relay.relay import Relay

class Doomed(ConfluentPublisher):
    count = 0
    def publish(self, publications):
        self.count += 1
        if self.count == KILLED_AT:
            original = self._producer.commit_transaction
            class Producer:
                def __getattr__(proxy, name):
                    return getattr(producer, name)
                def commit_transaction(proxy, *a):
                    if WHEN == "after":
                        original(*a)
                    os.kill(os.getpid(), signal.SIGKILL)
            producer, self._producer = self._producer, Producer()
        super().publish(publications)

WHEN, KILLED_AT, claimed_batches.MOST_BATCHES = sys.argv[5], int(sys.argv[6]), int(sys.argv[7])
engine, publisher = make_engine(DatabaseSettings()), Doomed(Route(KafkaSettings.plain(sys.argv[1]), *sys.argv[2:5]))
relay = Relay(engine, publisher)
relay.open()
while relay.publish_next():
    pass
"""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("killed_at", "batches"), [(2, 1), (1, 2)])
@pytest.mark.kills
def test_a_relay_killed_around_the_commit_publishes_once(
    engine: Engine,
    database_settings: DatabaseSettings,
    route: Route,
    ids: list[str],
    when: str,
    killed_at: int,
    batches: int,
) -> None:
    """A killed transaction publishes all of its batches or none; prefetched batches stay pending."""
    database = {
        "DB_HOST": database_settings.host,
        "DB_PORT": str(database_settings.port),
        "DB_USER": database_settings.user,
        "DB_PASSWORD": database_settings.password.get_secret_value(),
        "DB_NAME": database_settings.name,
    }
    arguments = (route.bootstrap_servers, route.records_topic, route.batches_topic, route.transactional_id)
    completed = subprocess.run(
        [sys.executable, "-c", KILLED_RELAY, *arguments, when, str(killed_at), str(batches)],
        cwd=paths.ROOT,
        env={**os.environ, **database, "PYTHONPATH": "src:."},
        check=False,
        timeout=120,
    )
    assert completed.returncode == -signal.SIGKILL
    done_by_the_next = relay_all(engine, ConfluentPublisher(route))
    assert done_by_the_next.count(0) == batches * (when == "after")
    require_each_once(engine, route, ids)
