"""Apache Kafka as one KRaft broker, from its own jars."""

import base64
import shutil
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from driftline.kafka import confluent_options
from driftline.settings import KafkaSettings
from stack import paths
from stack.errors import NotSetUp, StartFailed
from stack.java import java
from stack.servers import class_archive

CONFIGURATION = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={logs}
auto.create.topics.enable=false
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
# After a kill the broker restarts in 3 seconds instead of 14.
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
# 128 MB less memory.
log.cleaner.dedupe.buffer.size=2097152
"""

CLASSPATH = ("-cp", f"{paths.KAFKA_JARS}/*")
JVM = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Duser.timezone=UTC",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSX",
)


@dataclass(frozen=True)
class Broker:
    """A broker's folder and its two loopback ports; `extra` are lines that override its configuration."""

    folder: Path
    port: int
    controller_port: int
    extra: str = ""

    @property
    def bootstrap_servers(self) -> str:
        """The address for clients."""
        return f"127.0.0.1:{self.port}"

    @property
    def properties(self) -> Path:
        """The configuration file."""
        return self.folder / "server.properties"

    @property
    def logs(self) -> Path:
        """The folder of the topics' data."""
        return self.folder / "data"


def prepare(broker: Broker) -> None:
    """Write the configuration and, the first time, format the data folder; can be repeated after an interruption.

    Raises `NotSetUp` without the jars, `StartFailed` with the formatter's output.
    """
    if not paths.KAFKA_JARS.exists():
        raise NotSetUp(f"Kafka is not in {paths.KAFKA_JARS}; run `make setup` first.")
    broker.folder.mkdir(parents=True, exist_ok=True)
    _write_properties(broker)
    if not (broker.logs / "meta.properties").exists():  # the formatter writes it last
        shutil.rmtree(broker.logs, ignore_errors=True)
        _format(broker)


def serve_command(broker: Broker, classes: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """Return the command line of the broker, which uses about 170 MB of memory.

    `classes` are the options of its class archive; by default those that read the archive, if there is one.
    """
    options = class_archive.reading(archive()) if classes is None else classes
    return (java(), "-Xms64m", "-Xmx256m", *JVM, *options, *CLASSPATH, "kafka.Kafka", str(broker.properties))


def archive() -> Path:
    """Return the file of Kafka's class archive, which need not exist."""
    return class_archive.archive_of("kafka", java(), paths.KAFKA_JARS)


def answers(settings: KafkaSettings) -> bool:
    """Return whether a broker answers at the address; raises `InvalidInput` if a TLS file cannot be used."""
    client = AdminClient({**confluent_options(settings), "log_level": 0, "socket.timeout.ms": 2000})
    try:
        return bool(client.list_topics(timeout=2).brokers)
    except KafkaException:
        return False


def _write_properties(broker: Broker) -> None:
    text = CONFIGURATION.format(port=broker.port, controller_port=broker.controller_port, logs=broker.logs)
    staged = broker.properties.with_suffix(".partial")
    staged.write_text(text + broker.extra)
    staged.replace(broker.properties)


def _format(broker: Broker) -> None:
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    options = ("format", f"--cluster-id={cluster}", "-c", str(broker.properties))  # the id may begin with a dash
    classes = class_archive.reading(archive())
    command = (java(), *JVM, *classes, *CLASSPATH, "kafka.tools.StorageTool", *options)
    completed = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if completed.returncode:
        raise StartFailed(f"Kafka could not format {broker.logs}:\n{(completed.stdout + completed.stderr)[-2000:]}")
