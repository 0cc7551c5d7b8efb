"""Runs the query that scores a topic: from nothing, from its checkpoint, or from a deleted one."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Event

from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame
from pyspark.sql.streaming.query import StreamingQuery
from pyspark.sql.streaming.readwriter import DataStreamWriter

from churn import migrate
from churn.columns import CHURN_MODEL
from churn_jobs.live.messages import collect, parse, read_topic
from churn_jobs.live.prediction_topic import PredictionTopic
from churn_jobs.live.scoring import LiveScoring, ServedModel
from churn_jobs.live.settings import StreamSettings
from churn_jobs.progress import say
from churn_jobs.spark.job import Job
from driftline import spans
from driftline.errors import KafkaUnavailable, Unavailable
from driftline.lineage import runs
from driftline.lineage.datasets import Dataset, topic_dataset
from driftline.publishing.publisher import BatchPublisher
from driftline.settings import KafkaSettings
from driftline.spans import SpanKind
from driftline.store.job_lock import JobLock, only_one
from driftline.store.versions import registry
from driftline.worker import Retries, persist

NAME = "score_stream"
LOOK_SECONDS = 1
"""How soon a signal to stop is noticed."""
RETRIES = Retries(longest_pause=10.0)


@dataclass(frozen=True)
class Streamed:
    """What a run did: micro-batches, new predictions, messages that are not records, and predictions published."""

    batches: int = 0
    new: int = 0
    invalid: int = 0
    published: int = 0


@dataclass
class MicroBatches:
    """The work of one micro-batch, repeated while a server is away; counts what was done.

    `source` and `target` are the topics of the records and of the predictions; `run` is that of the job.
    """

    scoring: LiveScoring
    topic: PredictionTopic
    stop: Event
    source: Dataset
    target: Dataset
    run: runs.Run | None = field(default_factory=runs.current)
    total: Streamed = Streamed()
    error: Exception | None = None

    def __call__(self, messages: DataFrame, _: int) -> None:
        """Score a micro-batch, store and publish its predictions; Spark repeats it if this raises."""
        try:
            persist(lambda: self._process(messages), self.stop, RETRIES)
        except Exception as error:
            self.error = error  # Spark shows its text in the middle of two stack traces
            raise
        if self.stop.is_set():
            raise InterruptedError("Stopped; the micro-batch is repeated at the next start.")

    def _process(self, messages: DataFrame) -> None:
        """Score the records of a micro-batch, store and publish the predictions, and count them."""
        collected = collect(messages)
        span = spans.continue_traces("score records", SpanKind.CONSUMER, collected.traces)
        with span, runs.run(f"{NAME}.micro_batch", parent=self.run):
            runs.read(replace(self.source, rows=len(collected.records) + len(collected.invalid)))
            new = self.scoring.store(collected.records)
            published = self.topic.publish()
            runs.wrote(replace(self.target, rows=published))
        for message in collected.invalid[:5]:
            say(f"{message.place} is not a record and was skipped: {message.value[:200]}")
        so_far = self.total
        self.total = Streamed(
            so_far.batches + 1,
            so_far.new + new,
            so_far.invalid + len(collected.invalid),
            so_far.published + published,
        )


def score_stream(
    job: Job,
    settings: StreamSettings,
    kafka: KafkaSettings,
    publisher: BatchPublisher,
    clock: Callable[[], datetime],
    stop: Event,
    *,
    once: bool = False,
) -> Streamed:
    """Score the topic's records until `stop` is set, or `once` what it has now; return what was done.

    Raises:
        NotFound: no version of the model is ready. Conflict: another run is active.
        InvalidInput: a certificate of Kafka cannot be used, or a message has newer fields.
        KafkaUnavailable: Kafka is away at the start.
    """
    migrate.require_current(job.engine)
    with job.engine.connect() as connection:
        registry.version_key(connection, CHURN_MODEL)  # a missing model is reported before Spark starts
    publisher.probe()
    with job.open_spark() as jdbc:
        model = ServedModel(jdbc.spark, job.engine, job.scratch)
        model.current()
        topic = PredictionTopic(job.engine, publisher)
        topics = (settings.records_topic, settings.predictions_topic)
        source, target = (topic_dataset(kafka.bootstrap_servers, name) for name in topics)
        work = MicroBatches(LiveScoring(job.engine, model, clock), topic, stop, source, target)
        with only_one(job.engine, NAME) as lock:  # from here on, others see that the stream works
            try:
                persist(topic.publish, stop, RETRIES)
                messages = parse(read_topic(jdbc.spark, kafka, settings.records_topic, settings.records))
                _run(lambda: _writer(messages, work, settings, once=once).start(), work, lock, stop)
            finally:
                topic.close()
    say(f"{work.total.new:,} predictions of {work.total.batches} micro-batches were added.")
    return work.total


def _writer(messages: DataFrame, work: MicroBatches, settings: StreamSettings, *, once: bool) -> DataStreamWriter:
    writer = messages.writeStream.queryName(NAME).foreachBatch(work)
    writer = writer.option("checkpointLocation", settings.checkpoint_address)
    if once:
        return writer.trigger(availableNow=True)
    return writer.trigger(processingTime=f"{settings.pause_seconds} seconds")


def _run(start: Callable[[], StreamingQuery], work: MicroBatches, lock: JobLock, stop: Event) -> None:
    """Run the query; start it again from its checkpoint where Kafka was away for longer than Spark waits."""
    persist(lambda: _run_once(start, work, lock, stop), stop, RETRIES)


def _run_once(start: Callable[[], StreamingQuery], work: MicroBatches, lock: JobLock, stop: Event) -> None:
    """Run the query until it ends or `stop` is set; raise the error of the micro-batch rather than Spark's."""
    work.error = None
    query = start()
    try:
        while not query.awaitTermination(LOOK_SECONDS):
            if stop.is_set():
                return
            with suppress(Unavailable):
                lock.hold()  # a database that was away has released it
    except StreamingQueryException as error:
        if stop.is_set():
            return
        if work.error is not None:
            raise work.error from error
        if "kafka" in str(error).lower():
            raise KafkaUnavailable(f"Spark lost Kafka: {str(error).splitlines()[0][:300]}") from error
        raise
    finally:
        query.stop()
