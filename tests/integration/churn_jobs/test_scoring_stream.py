"""Records of a real topic are scored by Spark as they arrive: equal to the batch job, each once, whatever is killed."""

import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest
from confluent_kafka import Producer
from pyspark.sql import SparkSession
from sqlalchemy import select

from churn.columns import FEATURES, Cdr, prediction_id
from churn.ledger import RELAY, ChurnBatchKind
from churn.tables import churn_predictions, processed
from churn_jobs.configuration import ForestSize, TrainingConfig
from churn_jobs.days import DayRange, RequestedDays
from churn_jobs.live import stream
from churn_jobs.live.settings import StreamSettings
from churn_jobs.live.stream import Streamed, score_stream
from churn_jobs.predicted import predicting
from churn_jobs.predicted.predicting import predict
from churn_jobs.prepared.preparing import prepare
from churn_jobs.trainers import artifact
from churn_jobs.trainers.artifact import COMPLEMENT
from driftline.engine.results import ID, PREDICTION, SCORE
from driftline.errors import InvalidInput, KafkaUnavailable
from driftline.lineage import runs
from driftline.lineage.runs import RunEvent, RunState
from driftline.publishing.confluent_publisher import ConfluentPublisher
from driftline.publishing.publisher import Route
from driftline.settings import AccessSettings, DatabaseSettings, KafkaSettings, LocalSettings
from driftline.store.database import in_transaction
from driftline.store.job_lock import JobLock
from driftline.store.tables import ledger, pending_batches
from driftline.worker import Retries
from flaskapp.records import RecordBatch, write_records
from flaskapp.relay.relay import Relay
from flaskapp.world import Parameters, World
from serving.app import create_app
from serving.settings import ServingSettings
from stack.servers.topics import create_topics
from stack.testing.fixtures import FreshTopic
from stack.testing.temporary_servers import TemporaryBroker, TemporaryDatabase, kafka_broker, mariadb_server
from tests.integration.churn_jobs.conftest import NOW
from tests.integration.churn_jobs.raw_records import COLUMNS, content
from tests.integration.churn_jobs.trained import FIRST, HISTORY, Loop, trained_loop
from tests.integration.flaskapp.observed import published
from tests.integration.monitoring.applications import monitor_of
from tests.integration.otlp import Collector, collected
from tests.integration.outage import wait_out
from tests.unit.driftline.lineage.recorders import kept_events
from tests.waiting import wait_until

SUBSCRIBERS = 60
SCHEMA = "churn_live"
CONFIG = TrainingConfig(candidates=(ForestSize(trees=3, depth=2),), minimum_class_rows=5)
DAY = timedelta(days=1)


class KilledError(Exception):
    """Stands for the end of the process."""


@dataclass
class ScoringLoop:
    """A trained model, and topics that a relay fills and the scored stream reads."""

    loop: Loop
    settings: StreamSettings
    kafka: KafkaSettings
    world: World
    markers: str
    day: date = HISTORY.last
    records: int = 0

    def next_day(self, users: slice = slice(None), *, day: date | None = None) -> pd.DataFrame:
        """Store the records of the next day, or of a given one, and relay them to Kafka; return them."""
        self.day = self.day + DAY if day is None else self.day
        frame = self.world.records_of_day(day or self.day, day or self.day).iloc[users].copy()
        frame[Cdr.RECORD_ID] = [f"live:{self.records + place}" for place in range(len(frame))]
        self.records += len(frame)
        batch = RecordBatch(f"stream/live/{self.records}", ChurnBatchKind.RECORDS, frame[list(COLUMNS)])
        in_transaction(self.engine, lambda connection: write_records(connection, batch, NOW, [RELAY]))
        relay = Relay(
            self.engine, ConfluentPublisher(Route(self.kafka, self.settings.records_topic, self.markers, self.markers))
        )
        relay.open()
        while relay.publish_next():
            pass
        relay.close()
        return frame

    @property
    def engine(self) -> Any:
        return self.loop.job.engine

    def send(self, *values: bytes, version: str = "1") -> None:
        """Send messages to the topic of records that no relay has sent."""
        producer = Producer({"bootstrap.servers": self.kafka.bootstrap_servers})
        for value in values:
            producer.produce(self.settings.records_topic, value, headers={"schema_version": version})
        assert producer.flush(30) == 0

    def score(self) -> Streamed:
        """Score what the topic has now."""
        publisher = ConfluentPublisher(self.settings.route(self.kafka))
        return score_stream(self.loop.job, self.settings, self.kafka, publisher, lambda: NOW, Event(), once=True)

    def predictions(self) -> pd.DataFrame:
        return content(self.engine, churn_predictions)

    def published(self) -> list[str]:
        """Return the ids of the predictions that a reader of committed messages sees."""
        return [row["id"] for row in published(self.settings.route(self.kafka))]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporaryDatabase]:
    """A server that a test may take away."""
    with mariadb_server(tmp_path_factory.mktemp("sql")) as server:
        yield server


@pytest.fixture(scope="module")
def loop(database: TemporaryDatabase, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    """A model trained on a history."""
    folder = tmp_path_factory.mktemp("live")
    with trained_loop(database, spark, folder, name=SCHEMA, days=0, subscribers=SUBSCRIBERS, config=CONFIG) as loop:
        yield loop


@pytest.fixture
def live(loop: Loop, kafka: str, fresh_topic: FreshTopic, tmp_path: Path) -> ScoringLoop:
    """The stream of this test: topics and a checkpoint of its own."""
    settings = StreamSettings(
        records_topic=fresh_topic(partitions=2),
        predictions_topic=fresh_topic(),
        batches_topic=fresh_topic(cleanup_policy="compact"),
        checkpoint=(tmp_path / "checkpoint").as_uri(),
    )
    world = World(Parameters(seed=3, start_date=FIRST, subscribers=SUBSCRIBERS))
    return ScoringLoop(loop, settings, KafkaSettings.plain(kafka), world, fresh_topic(cleanup_policy="compact"))


def ids_of(*frames: pd.DataFrame) -> list[str]:
    rows = pd.concat(frames)
    days = rows[Cdr.DATE].dt.date
    return sorted(prediction_id(str(day), user) for day, user in zip(days, rows[Cdr.MSISDN], strict=True))


def require_each_once(live: ScoringLoop, ids: list[str]) -> None:
    assert sorted(live.predictions()[ID]) == ids
    assert sorted(live.published()) == ids


def killed(place: Any, name: str, call: int, *, after: bool) -> Any:
    """Return a function that fails in one of its calls, before or after it has done its work."""
    real, calls = getattr(place, name), count(1)

    def fail(*arguments: Any, **options: Any) -> Any:
        ends = next(calls) == call
        result = None if ends and not after else real(*arguments, **options)
        if ends:
            raise KilledError
        return result

    return fail


def test_each_record_is_scored_once_as_the_batch_job_would(live: ScoringLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    """From nothing, killed between two commits, from the checkpoint and without it; late and repeated records too."""
    first, second = live.next_day(), live.next_day()
    for place, name, call, after in ((predicting, "store", 2, False), (ConfluentPublisher, "publish", 1, True)):
        with monkeypatch.context() as patched, pytest.raises(KilledError):
            patched.setattr(place, name, killed(place, name, call, after=after))
            live.score()
        assert sorted(live.predictions()[ID]) == ids_of(first)
    assert sorted(live.published()) == ids_of(first)
    assert live.score().new == len(second)
    require_each_once(live, ids_of(first, second))

    with collected("score_stream") as collector, kept_events() as events, runs.run("score_stream"):
        third = live.next_day(slice(0, 40))
        assert live.score() == Streamed(1, len(third), 0, len(third))
    _require_one_trace(live, collector)
    _require_run(live, events, len(third))
    require_each_once(live, ids_of(first, second, third))
    _require_equal_to_the_batch_job(live)

    late = live.next_day(slice(40, None), day=live.day)
    repeated = live.next_day(slice(0, 1), day=live.day)
    before = live.predictions()
    shutil.rmtree(urlsplit(live.settings.checkpoint_address).path)
    scored = live.score()
    assert (scored.new, scored.published) == (len(late), len(late))
    require_each_once(live, ids_of(first, second, third, late))
    now = live.predictions()
    pd.testing.assert_frame_equal(now[now[ID].isin(before[ID])].reset_index(drop=True), before)
    assert ids_of(repeated)[0] in set(before[ID])
    assert {row["consumer"] for row in _pending(live)} == {"monitor"}


def _require_run(live: ScoringLoop, events: list[RunEvent], rows: int) -> None:
    """The micro-batch is a run within that of the stream, from topic to topic."""
    scored, job = (event for event in events if event.state is RunState.COMPLETE)
    assert (scored.job, scored.parent) == ("score_stream.micro_batch", (job.run_id, "score_stream"))
    assert (scored.inputs[0].name, scored.inputs[0].rows) == (live.settings.records_topic, rows)
    outputs = {dataset.name: dataset.rows for dataset in scored.outputs}
    assert (outputs["churn.predictions"], outputs[live.settings.predictions_topic]) == (rows, rows)
    assert scored.facts["model_version"] == live.loop.version.number


def _require_one_trace(live: ScoringLoop, collector: Collector) -> None:
    """The predictions are made and sent in the trace in which the records were sent."""
    (records,) = collector.named(f"send {live.settings.records_topic}")
    (scored,) = collector.named("score records")
    (predictions,) = collector.named(f"send {live.settings.predictions_topic}")
    assert {records.trace} == {scored.trace} == {predictions.trace}


def _require_equal_to_the_batch_job(live: ScoringLoop) -> None:
    """Prepare the same days, find every prediction made, and score them again."""
    days, job = RequestedDays(HISTORY.last + DAY, live.day), live.loop.job
    prepare(job, days)
    assert (predict(job, days).new, predict(job, days).changed) == (0, 0)
    model = artifact.load(predicting.files_of(live.loop.version), job.scratch)
    with job.open_spark() as jdbc:
        rows = jdbc.read(processed, predicting.INPUT, DayRange(HISTORY.last + DAY, live.day), processed.c["Date"])
        batch = predicting.with_id(model.score(rows)).toPandas().sort_values(ID, ignore_index=True)
    stored = live.predictions().sort_values(ID, ignore_index=True)
    assert [*stored[ID]] == [*batch[ID]]
    for name in (SCORE, COMPLEMENT, PREDICTION, *FEATURES):
        np.testing.assert_array_equal(stored[name].astype(float), batch[name].astype(float), err_msg=name)


def _pending(live: ScoringLoop) -> list[Any]:
    """Return the consumers for which batches of predictions are pending."""
    statement = select(pending_batches).join(ledger, ledger.c.number == pending_batches.c.batch_number)
    with live.engine.connect() as connection:
        return [*connection.execute(statement.where(ledger.c.kind == "predictions")).mappings()]


def test_invalid_messages_are_skipped_and_newer_fields_stop(live: ScoringLoop) -> None:
    live.day, live.records = HISTORY.last + 10 * DAY, 10_000
    records = live.next_day(slice(0, 5))
    with_more = {
        "record_id": "x",
        "DP_DATE": f"{live.day}T12:00:00Z",
        "DP_MSISDN": records[Cdr.MSISDN].iloc[0],
        "new": 1,
    }
    live.send(b"not JSON", b'{"DP_DATE": "yesterday", "DP_MSISDN": "1"}', b"", json.dumps(with_more).encode())
    stored = len(live.predictions())
    scored = live.score()
    assert (scored.new, scored.invalid) == (5, 3)
    live.send(json.dumps(with_more).encode(), version="2")
    with pytest.raises(InvalidInput, match=r"schema_version '2', and this program reads 1.*nothing was skipped"):
        live.score()
    assert len(live.predictions()) == stored + 5


def test_a_missing_topic_is_named(live: ScoringLoop) -> None:
    missing = live.settings.model_copy(update={"predictions_topic": "nowhere"})
    publisher = ConfluentPublisher(missing.route(live.kafka))
    with pytest.raises(KafkaUnavailable, match="no topic nowhere"):
        score_stream(live.loop.job, missing, live.kafka, publisher, lambda: NOW, Event())


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[TemporaryBroker]:
    """A broker that a test may take away."""
    (tmp_path / "kafka").mkdir()
    with kafka_broker(tmp_path / "kafka") as broker:
        create_topics(KafkaSettings.plain(broker.bootstrap_servers))
        yield broker


@contextmanager
def streaming(live: ScoringLoop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Future[Streamed]]:
    """Run the stream in a thread until the end; a failure of it is raised there."""
    monkeypatch.setattr(stream, "RETRIES", Retries(0.2, 0.5))
    stop, publisher = Event(), ConfluentPublisher(live.settings.route(live.kafka))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(score_stream, live.loop.job, live.settings, live.kafka, publisher, lambda: NOW, stop)
        try:
            yield running
        finally:
            stop.set()
        running.result(60)


@pytest.mark.kills
def test_servers_that_were_away_cost_nothing_and_need_no_hands(
    loop: Loop,
    database: TemporaryDatabase,
    broker: TemporaryBroker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Kafka and MySQL are stopped under the stream, a monitor and serving; each says so, and all goes on afterwards."""
    settings = StreamSettings(pause_seconds=0.1, checkpoint=(tmp_path / "checkpoint").as_uri())
    world = World(Parameters(seed=3, start_date=FIRST, subscribers=SUBSCRIBERS))
    live = ScoringLoop(loop, settings, KafkaSettings.plain(broker.bootstrap_servers), world, "cdr-batches")
    live.day, live.records = HISTORY.last + 20 * DAY, 20_000
    lock, earlier = JobLock(loop.job.engine, stream.NAME), len(live.predictions())

    def predicted(rows: int) -> Callable[[], bool]:
        return lambda: len(live.predictions()) == earlier + rows == earlier + len(live.published())

    address = DatabaseSettings.model_validate(
        {"host": "127.0.0.1", "port": database.port, "user": "root", "password": database.password, "name": SCHEMA}
    )
    serving = create_app(ServingSettings(), address, AccessSettings(), LocalSettings(var=tmp_path))
    features = {"features": dict.fromkeys(FEATURES, 1.0), "log": False}
    with monitor_of(address, tmp_path / "output") as monitor, streaming(live, monkeypatch) as running:
        clients = [monitor.test_client(), serving.flask.test_client()]
        first = live.next_day()
        wait_until(predicted(len(first)))
        assert [client.get("/readyz").status_code for client in clients] == [200, 200]
        before = clients[1].post("/predict", json=features).json

        broker.process.kill()
        with pytest.raises(KafkaUnavailable):
            ConfluentPublisher(live.settings.route(live.kafka)).probe()
        wait_out()
        assert not running.done()
        broker.process.start()
        second = live.next_day()
        database.process.kill()
        assert [client.get("/readyz").status_code for client in clients] == [503, 503]
        assert "database" in clients[0].get("/readyz").text
        assert "The monitor cannot answer now" in clients[0].get("/").text
        assert clients[1].post("/predict", json=features).json == before, "a loaded model needs no database"
        wait_out()
        assert [client.get("/readyz").status_code for client in clients] == [503, 503]
        assert not running.done()
        database.process.start()
        wait_until(predicted(len(first) + len(second)))
        wait_until(lock.is_taken)
        assert [client.get("/readyz").status_code for client in clients] == [200, 200]
        third = live.next_day()
        wait_until(predicted(len(first) + len(second) + len(third)))
    assert not lock.is_taken()
    assert sorted(live.published()) == ids_of(first, second, third)
    serving.close()
