"""A local Spark session for the few rows of an example, and topics as streams in it."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from examples.processes import LOOPBACK
from examples.servers import ROOT

JARS = Path(os.environ.get("SPARK_JARS") or ROOT / "build" / "jars" / "spark")
JVM = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
WITHOUT_CHECKSUMS = {"spark.hadoop.fs.AbstractFileSystem.file.impl": "org.apache.hadoop.fs.local.RawLocalFs"}
"""Checkpoints in a local folder have no files of checksums, each of which takes the start of a process."""
KAFKA_JARS = ("spark-sql-kafka-*", "spark-token-provider-kafka-*", "kafka-clients-*", "commons-pool2-*")


@contextmanager
def spark_session(
    name: str, jars: Sequence[Path] = (), further: Mapping[str, str] | None = None
) -> Iterator[SparkSession]:
    """Start a session on loopback, without compiling what would pay off only for many rows; stop it afterwards.

    `further` options win over those that all examples have.
    """
    os.environ["SPARK_LOCAL_IP"] = LOOPBACK
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    options = {
        "spark.jars": ",".join(map(str, jars)),
        "spark.driver.host": LOOPBACK,
        "spark.driver.bindAddress": LOOPBACK,
        "spark.driver.memory": "512m",
        "spark.driver.extraJavaOptions": f"{JVM} {_class_archive()}".strip(),
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.adaptive.enabled": "false",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "1",
        **WITHOUT_CHECKSUMS,
        **(further or {}),
    }
    builder = SparkSession.builder.appName(name).master("local[1]")
    for option, value in options.items():
        builder = builder.config(option, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    try:
        yield session
    finally:
        session.stop()


def _class_archive() -> str:
    """Return the options of Java that read the archive of `make classes`; none if there is no archive."""
    options = JARS / "java.options"
    return options.read_text() if options.exists() else ""


def kafka_jars() -> list[Path]:
    """Return the jars of Spark's connector for Kafka, which `make setup` has fetched."""
    return [jar for pattern in KAFKA_JARS for jar in JARS.glob(f"{pattern}.jar")]


def topic_messages(spark: SparkSession, bootstrap_servers: str, topic: str, most: int) -> DataFrame:
    """Return the stream of a topic's messages from the first one on, at most so many in a micro-batch."""
    options = {
        "kafka.bootstrap.servers": bootstrap_servers,
        "subscribe": topic,
        "startingOffsets": "earliest",
        "maxOffsetsPerTrigger": str(most),
    }
    return spark.readStream.format("kafka").options(**options).load()
