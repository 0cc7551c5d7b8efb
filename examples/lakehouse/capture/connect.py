"""Kafka Connect in one process: Debezium reads the shop's binary log into a topic, and its JDBC sink writes a copy."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from examples.lakehouse.jars import JARS, PLUGINS, jars
from examples.lakehouse.shop.database import ShopDatabase
from examples.lakehouse.shop.orders import COPY, ORDERS, SHOP, TOPIC
from examples.monitor_api import NoAnswer, RequestRefused, request_json, wait_for
from examples.processes import LOOPBACK, BackgroundProcess
from examples.servers import ROOT

SOURCE, SINK = "shop-source", "shop-copy"
START_SECONDS = 240
JVM = ("-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Duser.timezone=UTC")
WORKER = """\
bootstrap.servers={kafka}
listeners=http://127.0.0.1:{port}
plugin.path={plugins}
plugin.discovery=service_load
offset.storage.file.filename={offsets}
offset.flush.interval.ms=1000
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
"""


@dataclass(frozen=True)
class Connect:
    """The process, the database that its connectors read and write, and the broker.

    `external` is the address of a Connect that runs already, with the plugins; then no process is started.
    """

    process: BackgroundProcess
    folder: Path
    database: ShopDatabase
    kafka: str
    external: str = ""

    @property
    def address(self) -> str:
        """The address of its REST API."""
        return self.external or f"http://{LOOPBACK}:{self.process.port}"

    @property
    def local(self) -> BackgroundProcess | None:
        """The process; None if another Connect is used."""
        return None if self.external else self.process

    def start(self) -> None:
        """Start the process unless it runs, or another Connect is used."""
        if not self.external:
            self._start_process()

    def wait_until_ready(self) -> None:
        """Wait until it answers, give it the connectors, and wait until both run."""
        wait_for(self._is_healthy, "Kafka Connect", START_SECONDS, process=self.local)
        for name, settings in connectors(self.database, self.kafka).items():
            self._request(f"/connectors/{name}/config", method="PUT", body=settings)
        wait_for(self.runs, "The connectors", START_SECONDS, process=self.local)

    def _start_process(self) -> None:
        """Fetch the jars that are missing, write the worker's properties, and start it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        properties = self.folder / "connect.properties"
        for plugin in ("debezium-mariadb", "debezium-jdbc"):
            jars(plugin, PLUGINS)
        properties.write_text(
            WORKER.format(
                kafka=self.kafka, port=self.process.port, plugins=JARS / PLUGINS, offsets=self.folder / "offsets"
            )
        )
        classpath = f"{jars('connect')}/*"
        main = "org.apache.kafka.connect.cli.ConnectStandalone"
        self.process.start((_java(), *JVM, "-cp", classpath, main, str(properties)), {"PATH": os.environ["PATH"]}, ROOT)

    def runs(self) -> bool | None:
        """Whether all tasks run, None if not; those that failed are started again."""
        states = [self._state(name) for name in (SOURCE, SINK)]
        return all(state == "RUNNING" for state in states) or None

    def _state(self, name: str) -> str:
        """Return the state of a connector's task, and start a failed one again."""
        try:
            tasks = self._request(f"/connectors/{name}/status")["tasks"]
        except RequestRefused:
            return "UNASSIGNED"
        state = tasks[0]["state"] if tasks else "UNASSIGNED"
        if state == "FAILED":
            self._request(f"/connectors/{name}/tasks/0/restart", method="POST")
        return str(state)

    def _is_healthy(self) -> bool | None:
        try:
            return self._request("/health")["status"] == "healthy" or None
        except (RequestRefused, NoAnswer):
            return None

    def _request(self, path: str, *, method: str = "GET", body: object = None) -> Any:
        log = self.local.log if self.local else None
        return request_json(self.address, path, method=method, body=body, log=log)


def connectors(database: ShopDatabase, kafka: str) -> Mapping[str, Mapping[str, str]]:
    """Return the settings of both connectors by their names."""
    return {SOURCE: _source(database, kafka), SINK: _sink(database)}


def _source(database: ShopDatabase, kafka: str) -> Mapping[str, str]:
    """Return the settings of Debezium; the account may not lock tables, and after a lost connection it waits 1 s."""
    return {
        "connector.class": "io.debezium.connector.mariadb.MariaDbConnector",
        "database.hostname": LOOPBACK,
        "database.port": str(database.port),
        "database.user": "debezium",
        "database.password": database.passwords["debezium"],
        "database.ssl.mode": "disable",
        "database.server.id": "5401",
        "topic.prefix": SHOP,
        "database.include.list": SHOP,
        "table.include.list": f"{SHOP}.orders",
        "schema.history.internal.kafka.bootstrap.servers": kafka,
        "schema.history.internal.kafka.topic": "shop.schema_history",
        "snapshot.locking.mode": "none",
        "topic.creation.default.replication.factor": "1",
        "topic.creation.default.partitions": "1",
        "retriable.restart.connector.wait.ms": "1000",
    }


def _sink(database: ShopDatabase) -> Mapping[str, str]:
    """Return the settings of the sink, which creates the copy's table and adds the columns that the source gets."""
    return {
        "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
        "topics": TOPIC,
        "connection.url": f"jdbc:mariadb://{LOOPBACK}:{database.port}/{COPY}",
        "connection.username": "sink",
        "connection.password": database.passwords["sink"],
        "connection.restart.on.errors": "true",
        "collection.name.format": ORDERS.name,
        "insert.mode": "upsert",
        "delete.enabled": "true",
        "primary.key.mode": "record_key",
        "schema.evolution": "basic",
        "consumer.override.auto.offset.reset": "earliest",
    }


def _java() -> str:
    """Return the java program of JAVA_HOME, or that of the PATH."""
    home = os.environ.get("JAVA_HOME")
    return f"{home}/bin/java" if home else "java"
