"""The scored stream reads topics by TLS and with a password, as the relay publishes them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer
from pyspark.sql import DataFrame, SparkSession

from churn_jobs.live.messages import PLACE, VALUE, parse, read_topic
from driftline.kafka import confluent_options
from driftline.settings import KafkaSettings, SaslMechanism
from stack.servers.topics import create_topics
from stack.services.certificates import Certificates
from stack.testing.temporary_servers import TemporaryBroker
from tests.integration.secured_broker import certificate_settings, password_settings, secured_broker

TOPIC = "cdr-records"


@pytest.fixture(scope="module")
def broker(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporaryBroker]:
    with secured_broker(tmp_path_factory.mktemp("kafka"), certificates) as broker:
        settings = certificate_settings(broker, certificates)
        create_topics(settings)
        producer = Producer(confluent_options(settings))
        producer.produce(TOPIC, b"by TLS")
        assert producer.flush(30) == 0
        yield broker


def by_plain_password(broker: TemporaryBroker, certificates: Certificates) -> KafkaSettings:
    settings = password_settings(broker, certificates)
    return settings.model_copy(update={"sasl_mechanism": SaslMechanism.PLAIN})


@pytest.mark.parametrize("settings_of", [certificate_settings, password_settings, by_plain_password])
def test_spark_reads_the_topic(
    settings_of: Callable[[TemporaryBroker, Certificates], KafkaSettings],
    broker: TemporaryBroker,
    certificates: Certificates,
    spark: SparkSession,
    tmp_path: Path,
) -> None:
    values: list[str] = []

    def collect(messages: DataFrame, _: int) -> None:
        values.extend(row[VALUE] for row in parse(messages).select(VALUE, PLACE).collect())

    stream = read_topic(spark, settings_of(broker, certificates), TOPIC, most=10)
    writer = stream.writeStream.foreachBatch(collect).option("checkpointLocation", str(tmp_path))
    assert writer.trigger(availableNow=True).start().awaitTermination(120)
    assert values == ["by TLS"]
