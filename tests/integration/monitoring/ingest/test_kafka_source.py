"""Topics on a real broker end in the rows of a plain HTTP client: each once, the invalid ones set apart."""

import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pandas as pd
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from sqlalchemy import Connection, Engine, func, select

from driftline.errors import Unavailable
from driftline.ingest.ingestion import Ingestion
from driftline.ingest.messages import message_writer
from driftline.ingest.messages.message import DeadLetter, Message
from driftline.ingest.messages.message_writer import MessageWriter, StoredMessages
from driftline.settings import KafkaSettings
from driftline.store.database import in_transaction
from driftline.store.ledger import BatchKind
from driftline.store.sources import source_offsets
from driftline.store.sources.ingest_log import IngestState, LogFilter
from driftline.store.sources.source_offsets import OffsetMoved
from driftline.store.tables import labels as labels_table
from driftline.store.tables import predictions
from monitoring.ingest import kafka_source
from monitoring.ingest.dead_letters import OMITTED, ORIGIN, REASON
from monitoring.ingest.kafka_source import KafkaSource, Place
from monitoring.ingest.settings import IngestSettings
from stack import paths
from stack.testing.fixtures import DatabaseAddress, FreshTopic
from tests.integration.driftline.ingest.senders import labels_of, make_ingestion, nested, objects_of, rows
from tests.integration.monitoring.world import FIRST, NAME
from tests.integration.otlp import collected

PARTITIONS = 3


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    return mariadb


@dataclass(frozen=True)
class Topics:
    """Topics of their own for one test, and what reads them into the database."""

    servers: str
    settings: IngestSettings
    ingestion: Ingestion

    def source(self) -> KafkaSource:
        return KafkaSource(self.settings, KafkaSettings.plain(self.servers), self.ingestion)

    def send(
        self,
        topic: str,
        values: Sequence[Any],
        *,
        transactional: bool = False,
        abort: bool = False,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Produce messages, in a transaction if asked, which may be aborted."""
        options: dict[str, Any] = {"bootstrap.servers": self.servers}
        if transactional:
            options["transactional.id"] = f"{topic}-{time.time_ns()}"
        producer = Producer(options)
        if transactional:
            producer.init_transactions(30)
            producer.begin_transaction()
        for number, value in enumerate(values):
            data = value if isinstance(value, bytes) else json.dumps(value).encode()
            key = value["id"] if isinstance(value, dict) and "id" in value else str(number)
            producer.produce(topic, data, key, headers=headers)
        producer.flush(30)
        if transactional:
            (producer.abort_transaction if abort else producer.commit_transaction)(30)

    def dead_letters(self) -> list[dict[str, bytes]]:
        consumer = Consumer({"bootstrap.servers": self.servers, "group.id": "x", "enable.partition.eof": True})
        consumer.assign([TopicPartition(self.settings.dead_letters_topic, 0, 0)])
        letters = []
        while (message := consumer.poll(10)) is not None and message.error() is None:
            headers = dict(message.headers() or [])
            letters.append({"value": message.value() or b"", **headers})
        consumer.close()
        return letters

    def stored(self) -> pd.DataFrame:
        store = self.ingestion.targets.of(NAME).store
        with self.ingestion.engine.connect() as connection:
            return store.read(connection, 1, FIRST, FIRST + timedelta(days=9))

    def stored_labels(self) -> dict[str, float]:
        with self.ingestion.engine.connect() as connection:
            pairs = connection.execute(select(labels_table.c.id, labels_table.c.value)).all()
        return {name: float(value) for name, value in pairs}


@pytest.fixture
def topics(kafka: str, engine: Engine, tmp_path: Path, fresh_topic: FreshTopic) -> Topics:
    settings = IngestSettings(
        predictions_topic=fresh_topic(PARTITIONS),
        labels_topic=fresh_topic(PARTITIONS),
        dead_letters_topic=fresh_topic(1),
        group=f"test-{time.time_ns()}",
        model=NAME,
    )
    return Topics(kafka, settings, make_ingestion(engine, tmp_path))


def count(engine: Engine) -> tuple[int, int]:
    with engine.connect() as connection:
        tables = (predictions, labels_table)
        counts = [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]
    return counts[0], counts[1]


def test_topics_end_in_rows_and_are_read_once(topics: Topics) -> None:
    frame = rows(60)
    topics.send(topics.settings.labels_topic, objects_of(labels_of(frame)))
    topics.send(topics.settings.predictions_topic, nested(frame))
    first = topics.source().run_to_end()
    assert (first.rows, first.dead_letters) == (120, 0)
    stored = topics.stored()
    assert list(stored["id"]) == sorted(frame["id"])
    assert stored["label"].notna().all()
    again = topics.source().run_to_end()
    assert (again.rows, again.dead_letters) == (0, 0)


def test_invalid_messages_do_not_keep_the_others_back(topics: Topics) -> None:
    frame = rows(40)
    valid = nested(frame)
    wrong_score = valid[3] | {"score": 7}
    conflicting = valid[4] | {"score": 0.123}
    bad = [b"\xff", {"id": "x", "model": "unknown"}, wrong_score, [1, 2], {"id": "y", "prediction": 1}]
    mixed = [*valid[:3], *bad, *valid[4:]]
    topics.send(topics.settings.predictions_topic, mixed)
    topics.source().run_to_end()
    topics.send(topics.settings.predictions_topic, [conflicting])
    topics.source().run_to_end()
    assert set(topics.stored()["id"]) == set(frame["id"]) - {valid[3]["id"]}
    letters = topics.dead_letters()
    assert len(letters) == len(bad) + 1
    by_value = {letter["value"]: letter[REASON].decode() for letter in letters}
    assert "not valid JSON" in by_value[b"\xff"]
    assert "'unknown'" in by_value[json.dumps(bad[1]).encode()]
    assert "outside 0 to 1" in by_value[json.dumps(wrong_score).encode()]
    assert "stored with different content" in by_value[json.dumps(conflicting).encode()]
    assert all(letter[ORIGIN].startswith(topics.settings.predictions_topic.encode()) for letter in letters)
    refused = topics.ingestion.log(NAME, 100, LogFilter(state=IngestState.REFUSED))
    assert {entry.caller for _, entry in refused} == {"kafka"}
    assert len(refused) == 3  # those whose model is known


def test_hostile_messages_become_dead_letters(topics: Topics) -> None:
    frame = rows(6)
    valid = nested(frame)
    deep = b'{"features": ' + b"[" * 900 + b"]" * 900 + b"}"
    hostile = {
        "deep": deep,
        "deeper": b"[" * 100_000,
        "deep id": json.dumps(valid[0]).replace(json.dumps(valid[0]["id"]), "[" * 900 + "]" * 900).encode(),
        "surrogate": json.dumps(valid[0] | {"id": "\ud800"}).encode(),
        "digits": b'{"id": ' + b"9" * 5_000 + b"}",
        "long": b"x" * 999_850,
    }
    topics.send(topics.settings.predictions_topic, [*valid[:3], *hostile.values(), *valid[3:]])
    stored = topics.source().run_to_end()
    assert (stored.rows, stored.dead_letters) == (6, len(hostile))
    letters = topics.dead_letters()
    assert {letter["value"] for letter in letters} == {*hostile.values(), b""} - {hostile["long"]}
    (cut,) = (letter for letter in letters if not letter["value"])
    assert cut[OMITTED] == b"999850"
    assert all(letter[REASON] for letter in letters)


def test_messages_are_stored_in_the_trace_that_their_header_names(topics: Topics) -> None:
    """Messages of several traces are stored in one of their own that names them; a header that is none is ignored."""
    topic, labels = topics.settings.labels_topic, objects_of(labels_of(rows(4)))
    traces = [f"{number:032x}" for number in (1, 2, 3)]
    headers = [{"traceparent": f"00-{trace}-{7:016x}-01"} for trace in traces]
    with collected("ingest") as collector:
        topics.send(topic, labels[:1], headers=headers[0])
        topics.source().run_to_end()
        for label, named in zip(labels[1:], [*headers[1:], {"traceparent": "none"}], strict=True):
            topics.send(topic, [label | {"id": labels[1]["id"]}], headers=named)
        topics.source().run_to_end()
    first, *others = collector.named(f"process {topic}")
    assert (first.trace, first.links) == (traces[0], ())
    assert {link for span in others for link in (*span.links, span.trace)} >= set(traces[1:])


def test_only_committed_messages_count(topics: Topics) -> None:
    frame = rows(10)
    topic = topics.settings.predictions_topic
    topics.send(topic, nested(frame)[:5], transactional=True)
    topics.send(topic, nested(frame)[5:], transactional=True, abort=True)
    assert topics.source().run_to_end().rows == 5
    assert len(topics.stored()) == 5


def test_a_label_may_change_and_change_back(topics: Topics) -> None:
    label = {"id": "a", "label": 1, "known_at": "2026-02-03T00:00:00Z"}
    topics.send(topics.settings.labels_topic, [label, label | {"label": 0}, label])
    topics.source().run_to_end()
    assert topics.stored_labels() == {"a": 1.0}


def test_a_reader_that_was_overtaken_stores_nothing(topics: Topics) -> None:
    writer = MessageWriter(topics.ingestion, BatchKind.LABELS, lambda _: None, NAME)
    messages = [Message("t", 0, n, 0, json.dumps({"id": str(n), "label": 1}).encode()) for n in range(10)]
    for expected, part in ((None, messages[:5]), (5, messages[5:])):
        assert writer.store("kafka/t", 0, expected, part).rows == 5
    late = [Message("t", 0, n, 0, json.dumps({"id": str(n), "label": 0}).encode()) for n in range(10)]
    for expected in (None, 5, 11):
        with pytest.raises(OffsetMoved, match="was read"):
            writer.store("kafka/t", 0, expected, late)
    assert topics.stored_labels() == {str(n): 1.0 for n in range(10)}


def test_a_failure_in_one_partition_loses_nothing_of_others(topics: Topics) -> None:
    frame, topic = rows(60), topics.settings.predictions_topic
    topics.send(topic, nested(frame))
    source = topics.source()
    read_offsets, failures = source._read_offsets, [Unavailable("The database is away.")]

    def overtaken(places: Sequence[Place]) -> dict[Place, int | None]:
        offsets = read_offsets(places)
        in_transaction(
            topics.ingestion.engine,
            lambda connection: source_offsets.advance(connection, f"kafka/{topic}", 0, None, 0),
        )
        source._read_offsets = away  # type: ignore[method-assign]
        return offsets

    def away(places: Sequence[Place]) -> dict[Place, int | None]:
        if failures:
            raise failures.pop()
        return read_offsets(places)

    source._read_offsets = overtaken  # type: ignore[method-assign]
    source._assign([TopicPartition(topic, part) for part in range(PARTITIONS)], Event())
    deadline = time.monotonic() + 60
    while len(topics.stored()) < 60 and time.monotonic() < deadline:
        with contextlib.suppress(Unavailable):
            source._store_next()
    source._consumer.close()
    assert not failures
    assert list(topics.stored()["id"]) == sorted(frame["id"])


def test_dead_letters_are_published_once(topics: Topics, monkeypatch: pytest.MonkeyPatch) -> None:
    """One is invalid, and one conflicts with what is stored, which only the transaction finds."""
    published: list[DeadLetter] = []
    writer = MessageWriter(topics.ingestion, BatchKind.PREDICTIONS, published.extend, NAME)
    first, second, third = nested(rows(3))
    values = [first, first | {"score": 0.123}, second | {"score": 7}, third]
    messages = [Message("t", 0, offset, 0, json.dumps(value).encode()) for offset, value in enumerate(values)]

    def away(engine: Engine, work: Callable[[Connection], object]) -> None:
        with engine.connect() as connection:
            work(connection)
        raise Unavailable("The database went away before the commit.")

    with monkeypatch.context() as patch:
        patch.setattr(message_writer, "in_transaction", away)
        for _ in range(2):
            with pytest.raises(Unavailable):
                writer.store("kafka/t", 0, None, messages)
    assert writer.store("kafka/t", 0, None, messages) == StoredMessages(rows=2, dead_letters=2)
    assert sorted(letter.message.offset for letter in published) == [1, 2]
    with pytest.raises(OffsetMoved):
        writer.store("kafka/t", 0, None, messages)
    assert len(published) == 2


def test_messages_that_are_gone_before_they_are_read_are_logged(
    topics: Topics, caplog: pytest.LogCaptureFixture
) -> None:
    """Of partition 0 Kafka removed some; the offset of partition 1 is beyond its end; that of partition 2 is there."""
    topic = topics.settings.predictions_topic
    producer = Producer({"bootstrap.servers": topics.servers})
    for part in range(PARTITIONS):
        for _ in range(5):
            producer.produce(topic, b"{}", partition=part)
    producer.flush(30)
    admin = AdminClient({"bootstrap.servers": topics.servers})
    for removed in admin.delete_records([TopicPartition(topic, 0, 4)]).values():
        removed.result(30)
    for part, offset in enumerate((2, 9, 5)):
        in_transaction(
            topics.ingestion.engine,
            lambda connection, part=part, offset=offset: source_offsets.advance(  # type: ignore[misc]
                connection, f"kafka/{topic}", part, None, offset
            ),
        )
    source = topics.source()
    with caplog.at_level(logging.WARNING, "monitoring.ingest"):
        source._assign([TopicPartition(topic, part) for part in range(PARTITIONS)], Event())
    source._consumer.close()
    removed_text, beyond = (record.getMessage() for record in caplog.records)
    assert f"Kafka has removed the messages 2 to 3 of {topic}/0 before they were read" in removed_text
    assert f"{topic}/1 ends at offset 5, before 9, which is to be read next" in beyond


def test_partitions_that_come_while_a_process_stops_are_left_to_others(topics: Topics) -> None:
    """Without the stored offsets they would be read from their beginning."""
    topic, stopped = topics.settings.predictions_topic, Event()
    topics.send(topic, nested(rows(3)))
    stopped.set()
    source = topics.source()
    source._assign([TopicPartition(topic, part) for part in range(PARTITIONS)], stopped)
    assert source._consumer.assignment() == []
    source._consumer.close()


def test_a_broker_that_does_not_answer_is_waited_for_once(
    topics: Topics, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(kafka_source, "BROKER_SECONDS", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        source = KafkaSource(
            topics.settings, KafkaSettings.plain(f"127.0.0.1:{silent.getsockname()[1]}"), topics.ingestion
        )
        began = time.monotonic()
        with caplog.at_level(logging.WARNING, "monitoring.ingest"):
            source._log_gaps([TopicPartition("t", part, 7) for part in range(30)])
        assert time.monotonic() - began < 3
        source._consumer.close()
    assert "Kafka did not say in time which messages 29 partitions have." in caplog.text


@pytest.fixture
def environment(topics: Topics, database: DatabaseAddress) -> dict[str, str]:
    settings = {f"INGEST_{name}".upper(): str(value) for name, value in topics.settings.model_dump().items()}
    return {**os.environ, **database.environment(), **settings, "KAFKA_BOOTSTRAP_SERVERS": topics.servers}


def _start(environment: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    with log.open("ab") as file:
        return subprocess.Popen(
            (sys.executable, "-m", "monitoring.ingest"), env=environment, cwd=paths.ROOT, stderr=file
        )


@pytest.fixture
def processes() -> Iterator[list["subprocess.Popen[bytes]"]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.kills
def test_processes_that_are_killed_lose_and_double_nothing(
    topics: Topics, environment: dict[str, str], processes: list["subprocess.Popen[bytes]"], tmp_path: Path
) -> None:
    """Two processes share the partitions; each is killed in turn while rows come, and started again."""
    frame = rows(200)
    messages, truth = nested(frame), objects_of(labels_of(frame))
    log = tmp_path / "ingest.log"
    processes += [_start(environment, log), _start(environment, log)]
    for number in range(4):
        part = slice(50 * number, 50 * number + 50)
        topics.send(topics.settings.predictions_topic, messages[part])
        topics.send(topics.settings.labels_topic, truth[part])
        time.sleep(2)
        killed = processes[number % 2]
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        processes[number % 2] = _start(environment, log)
    deadline = time.monotonic() + 180
    while count(topics.ingestion.engine) != (200, 200) and time.monotonic() < deadline:
        time.sleep(0.5)
    for process in processes:
        process.terminate()
    ends = {process.wait(30) for process in processes}
    assert ends <= {0, -signal.SIGTERM}, log.read_text()  # the last one may not have begun
    assert topics.source().run_to_end().rows == 0
    stored = topics.stored()
    assert list(stored["id"]) == sorted(frame["id"])
    assert topics.stored_labels() == {row["id"]: float(row["label"]) for row in truth}
    assert topics.dead_letters() == []
