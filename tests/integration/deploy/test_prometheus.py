"""The deployed rules, scrape configuration and dashboards on a real Prometheus and Alertmanager."""

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
import yaml
from apiflask import APIFlask
from sqlalchemy import Connection, Engine, insert, select, update

from devtools.generators.dashboards import DASHBOARDS
from driftline.clock import naive_utc, utc_now
from driftline.engine.results import State
from driftline.http import access, web
from driftline.http.authorization import tokens
from driftline.http.authorization.scopes import Scope
from driftline.http.metrics import ServiceMetrics
from driftline.http.server.server import make_server
from driftline.settings import AccessSettings, DatabaseSettings, TlsSettings
from driftline.store.tables import incidents, ingest_log, models
from flaskapp.stream_metrics import read_streams
from monitoring.app import create_app
from monitoring.incidents.derivation import IncidentState
from monitoring.settings import MonitorSettings
from stack import paths
from stack.servers.ports import any_free
from stack.setup.debian import prometheus
from stack.testing.fixtures import DatabaseAddress
from tests.integration.deploy.prometheus_checks import (
    Prometheus,
    check_rules,
    running_prometheus,
    skip_without_programs,
    write_config,
)
from tests.integration.monitoring.alerts.receivers import ReceivingServer, http_receiver
from tests.integration.monitoring.incidents.days import Days
from tests.integration.monitoring.world import NAME, make_world
from tests.integration.programs import running
from tests.waiting import wait_until

DEPLOYED = paths.ROOT / "deploy" / "prometheus"
RULES, RULE_TESTS = DEPLOYED / "driftline.rules.yml", DEPLOYED / "driftline.rules.test.yml"


@pytest.fixture(scope="module", autouse=True)
def _programs() -> None:
    skip_without_programs()


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    return mariadb


def test_the_rules_do_what_their_tests_say() -> None:
    check_rules(RULES, RULE_TESTS)


@contextmanager
def served(app: APIFlask) -> Iterator[str]:
    """Serve an app as its service does; give its address."""
    server = make_server(app, "127.0.0.1", 0, TlsSettings())
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.bind_addr[1]}"
    server.stop()
    thread.join()


@dataclass
class Watched:
    """Two services that a Prometheus scrapes, whose alerts arrive at a receiver."""

    prometheus: Prometheus
    receiver: ReceivingServer
    monitor: str
    token: str


def _monitor(
    engine: Engine, database: DatabaseSettings, folder: Path, access: AccessSettings, monkeypatch: pytest.MonkeyPatch
) -> APIFlask:
    """Return a monitor with a poll behind it, an incident, and a channel that takes nothing."""
    world = make_world(engine, folder)
    world.predict(0)
    world.label(0)
    world.predict(1)
    Days(engine, world.version.key, detector=False).verdict(-3, State.ALERT)
    (folder / "away").write_text(f"http://127.0.0.1:{any_free()}/")
    monkeypatch.setenv("DRIFTLINE_SECRETS", str(folder))
    channels = {"ops": {"type": "slack", "secret": "away", "allow_internal": True}}
    (folder / "alerts.yaml").write_text(yaml.safe_dump({"channels": channels, "routes": [{"channels": ["ops"]}]}))
    settings = MonitorSettings(output=folder / "output", alerts=folder / "alerts.yaml")
    return create_app(settings, database, access, polls=False)


def _service(engine: Engine, allowed: AccessSettings, *, streams: bool) -> APIFlask:
    """Return a service with the metrics of serving, or those of a simulator, which needs no Kafka for them."""
    app = web.make_app("service", "Service")
    access.guard(app, "127.0.0.1", allowed)
    web.install(app, ready=lambda: None)
    metrics = ServiceMetrics()
    metrics.install(app)
    metrics.watch_pool(engine)
    if streams:
        metrics.add_reader(lambda: read_streams(engine, utc_now))
    return app


def _configure(folder: Path, targets: dict[str, str], alertmanager: str, receiver: ReceivingServer) -> None:
    """Write the deployed configurations with the addresses of this test, and intervals of a second."""
    shutil.copy(RULES, folder)
    jobs = {name: [target] for name, target in targets.items()}
    write_config(DEPLOYED / "prometheus.yml", folder, jobs, alertmanager)
    config = yaml.safe_load((DEPLOYED / "alertmanager.yml").read_text())
    config["route"] |= {"group_wait": "0s", "group_interval": "1s"}
    config["receivers"][0]["webhook_configs"][0]["url"] = receiver.url("/alertmanager")
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(config))


@pytest.fixture
def watched(
    churn_engine: Engine, database_settings: DatabaseSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Watched]:
    """Run Prometheus and Alertmanager against a monitor, a simulator and serving."""
    file, folder = tmp_path / "tokens.json", tmp_path / "prometheus"
    folder.mkdir()
    token = tokens.create(file, "scraper", frozenset({Scope.SCRAPE}), utc_now())
    operator = tokens.create(file, "operator", frozenset({Scope.OPERATE}), utc_now())
    (folder / "scrape_token").write_text(token)
    access = AccessSettings(tokens=file)
    manager = f"127.0.0.1:{any_free()}"
    with ExitStack() as stack:
        receiver = stack.enter_context(http_receiver())
        app = _monitor(churn_engine, database_settings, tmp_path, access, monkeypatch)
        monitor = stack.enter_context(served(app))
        services = [_service(churn_engine, access, streams=streams) for streams in (True, False)]
        simulator, serving = (stack.enter_context(served(app)) for app in services)
        targets = {"driftline-monitor": monitor, "driftline-simulator": simulator, "driftline-serving": serving}
        _configure(folder, targets, manager, receiver)
        command = (
            *prometheus.command("prometheus-alertmanager"), "--config.file=alertmanager.yml",
            f"--web.listen-address={manager}", "--cluster.listen-address=", "--storage.path=alertmanager",
        )  # fmt: skip
        stack.enter_context(running(command, folder, "alertmanager", f"http://{manager}/-/ready"))
        yield Watched(stack.enter_context(running_prometheus(folder)), receiver, monitor, operator)


def test_alerts_arrive_and_every_panel_has_data(watched: Watched, churn_engine: Engine) -> None:
    headers = {"Authorization": f"Bearer {watched.token}"}
    assert requests.post(f"http://{watched.monitor}/run-monitoring", headers=headers, timeout=60).ok
    with churn_engine.begin() as connection:  # the poll has resolved it
        connection.execute(update(incidents).values(state=IncidentState.OPEN))
        _log_a_batch(connection)
    test = requests.post(f"http://{watched.monitor}/api/v1/channels/ops/test", headers=headers, timeout=60)
    assert test.json()["state"] == "dead"
    expected = {("DriftlineDeadLetters", "ops"), ("DriftlineModelAlert", NAME)}
    wait_until(lambda: expected <= _received(watched.receiver))
    watched.prometheus.wait_for_panels(DASHBOARDS)
    page = requests.get(f"http://{watched.monitor}/metrics", headers=headers, timeout=10)
    assert page.status_code == 403, "the operator's token scraped"


def _log_a_batch(connection: Connection) -> None:
    """Write the entry of a batch that was ingested now; the test's world stores rows without one."""
    number = connection.execute(select(models.c.number).where(models.c.name == NAME)).scalar_one()
    entry = {"kind": "predictions", "state": "stored", "format": "text/csv", "body_bytes": 9, "rows_sent": 300}
    entry |= {"model_number": number, "received_at": naive_utc(utc_now())}
    connection.execute(insert(ingest_log).values(entry))


def _received(receiver: ReceivingServer) -> set[tuple[str, str]]:
    """Return the alerts that fired, each with what it is about."""
    bodies = [json.loads(post.body) for post in receiver.posts]
    firing = (alert["labels"] for body in bodies for alert in body["alerts"] if alert["status"] == "firing")
    return {(labels["alertname"], labels.get("channel") or labels.get("model", "")) for labels in firing}
