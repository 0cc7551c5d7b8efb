"""The pipeline's servers and processes: the shop's API and database, Connect, the object store, and the stream."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from examples.kafka_topics import create_topics
from examples.lakehouse.capture.connect import Connect
from examples.lakehouse.capture.pipeline_metrics import ICEBERG
from examples.lakehouse.shop.database import ShopDatabase, start_shop_database
from examples.lakehouse.shop.orders import MODEL, TOPIC
from examples.lakehouse.shop.simulation import ShopPlan
from examples.monitor_api import request, wait_for
from examples.object_store import StoredObjects, start_object_store
from examples.processes import LOOPBACK, BackgroundProcess
from examples.servers import ROOT, Servers

START_SECONDS = 120


@dataclass(frozen=True)
class Pipeline:
    """What runs: the database, Connect, the objects, and both processes in Python."""

    database: ShopDatabase
    connect: Connect
    objects: StoredObjects
    api: BackgroundProcess
    stream: BackgroundProcess
    folder: Path
    plan: ShopPlan
    lineage: Mapping[str, str] = field(default_factory=dict)
    """The variables that say where events of lineage go."""

    @property
    def api_address(self) -> str:
        """The address of the shop's API."""
        return f"http://{LOOPBACK}:{self.api.port}"

    @property
    def catalogue_password(self) -> str:
        """The password of the account that the lake's catalogue is read and written with."""
        return self.database.passwords["lake"]

    def start(self) -> None:
        """Start everything that does not run; what takes long goes on to start meanwhile."""
        self.database.start()
        self._start_stream()
        plan = json.dumps(asdict(self.plan))
        command = (sys.executable, "-m", "examples.lakehouse.shop.api", f"{self.api.port}", plan)
        self.api.start(command, {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}, ROOT)
        self.connect.start()

    def wait_until_ready(self) -> None:
        """Wait until everything that was started answers."""
        self.connect.wait_until_ready()
        wait_for(lambda: self.api.listens, "The shop's API", START_SECONDS, process=self.api)
        wait_for(lambda: self.stream.listens, "The stream", START_SECONDS, process=self.stream)

    def has_applied_all(self, *others: str) -> bool | None:
        """Whether the lake and other sinks have all messages of the topic, as the stream's metrics say; None if not."""
        page = request(f"http://{LOOPBACK}:{self.stream.port}", "/metrics", log=self.stream.log).decode()
        return all(f'lakehouse_messages_behind{{sink="{sink}"}} 0.0' in page for sink in (ICEBERG, *others)) or None

    def _start_stream(self) -> None:
        command = (
            sys.executable, "-m", "examples.lakehouse.lake.streaming", "--objects", self.objects.address,
            "--catalogue-port", f"{self.database.port}", "--kafka", self.connect.kafka,
            "--checkpoint", str(self.folder / "checkpoint"), "--metrics-port", f"{self.stream.port}",
        )  # fmt: skip
        passed_on = {name: os.environ[name] for name in ("PATH", "HOME", "JAVA_HOME") if name in os.environ}
        settings = {**passed_on, **self.objects.variables, **self.lineage}
        targets = [{"targets": [f"{LOOPBACK}:{self.stream.port}"]}]
        (self.folder / "scrape_targets.json").write_text(json.dumps(targets))
        self.stream.start(command, {**settings, "LAKE_PASSWORD": self.catalogue_password, "TZ": "UTC"}, ROOT)


def start_pipeline(servers: Servers, plan: ShopPlan) -> Pipeline:
    """Start the pipeline of a folder, and return it; it may not be ready yet."""
    folder, processes = servers.var / MODEL, servers.var / "processes"
    folder.mkdir(exist_ok=True)
    objects = start_object_store(servers, folder, processes)
    database = start_shop_database(folder / "shop", processes)
    create_topics(servers.kafka, TOPIC)
    external = os.environ.get("EXAMPLES_CONNECT", "")
    connect = Connect(BackgroundProcess("connect", processes), folder / "connect", database, servers.kafka, external)
    api, stream = (BackgroundProcess(name, processes) for name in ("shop-api", "lake-stream"))
    lineage = {name: value for name, value in servers.environment.items() if name.startswith("DRIFTLINE_LINEAGE_")}
    pipeline = Pipeline(database, connect, objects, api, stream, folder, plan, lineage)
    pipeline.start()
    return pipeline
