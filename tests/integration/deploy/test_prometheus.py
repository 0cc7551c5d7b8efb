"""The deployed rules, scrape configuration and dashboards on a real Prometheus and Alertmanager."""

import json
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from apiflask import APIFlask
from sqlalchemy import Connection, Engine, insert, select, update

from devtools.dashboards import DASHBOARDS
from driftline.clock import naive_utc, utc_now
from driftline.engine.results import State
from driftline.http import access, tokens, web
from driftline.http.metrics import ServiceMetrics
from driftline.http.scopes import Scope
from driftline.http.server import make_server
from driftline.settings import AccessSettings, DatabaseSettings, TlsSettings
from driftline.store.tables import incidents, ingest_log, models
from flaskapp.stream_metrics import read_streams
from monitoring.app import create_app
from monitoring.incidents.derivation import IncidentState
from monitoring.settings import MonitorSettings
from stack import paths
from stack.servers.ports import any_free
from stack.setup import prometheus
from stack.testing.fixtures import DatabaseAddress
from tests.integration.monitoring.alerts.receivers import HttpReceiver, http_receiver
from tests.integration.monitoring.incidents.days import Days
from tests.integration.monitoring.world import NAME, make_world
from tests.integration.programs import running

DEPLOYED = paths.ROOT / "deploy" / "prometheus"
RULES, RULE_TESTS = DEPLOYED / "driftline.rules.yml", DEPLOYED / "driftline.rules.test.yml"
SECONDS = 60.0


@pytest.fixture(scope="module", autouse=True)
def _programs() -> None:
    reason = prometheus.reason_missing()
    if reason:
        pytest.skip(reason)


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    return mariadb


def wait_until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + SECONDS
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)
    return value


def promtool(*arguments: str | Path, folder: Path = DEPLOYED) -> str:
    command = [*prometheus.command("promtool"), *map(str, arguments)]
    completed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return completed.stdout


def alerts() -> set[str]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}


def test_the_rules_do_what_their_tests_say() -> None:
    promtool("check", "rules", RULES)
    promtool("test", "rules", RULE_TESTS)
    assert {name for name in alerts() if name not in RULE_TESTS.read_text()} == set()


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

    address: str
    receiver: HttpReceiver
    monitor: str
    token: str

    def query(self, expression: str) -> list[dict[str, Any]]:
        answer = requests.get(f"http://{self.address}/api/v1/query", params={"query": expression}, timeout=10).json()
        assert answer["status"] == "success", answer
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result


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


def _configure(folder: Path, targets: dict[str, str], alertmanager: str, receiver: HttpReceiver) -> None:
    """Write the deployed configurations with the addresses of this test, and intervals of a second."""
    shutil.copy(RULES, folder)
    config = yaml.safe_load((DEPLOYED / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [alertmanager]
    assert {job["job_name"] for job in config["scrape_configs"]} == {*targets}
    for job in config["scrape_configs"]:
        job["static_configs"][0]["targets"] = [targets[job["job_name"]]]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    config = yaml.safe_load((DEPLOYED / "alertmanager.yml").read_text())
    config["route"] |= {"group_wait": "0s", "group_interval": "1s"}
    config["receivers"][0]["webhook_configs"][0]["url"] = receiver.url("/alertmanager")
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(config))
    promtool("check", "config", "prometheus.yml", folder=folder)


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
    address, manager = (f"127.0.0.1:{any_free()}" for _ in range(2))
    with ExitStack() as stack:
        receiver = stack.enter_context(http_receiver())
        app = _monitor(churn_engine, database_settings, tmp_path, access, monkeypatch)
        monitor = stack.enter_context(served(app))
        services = [_service(churn_engine, access, streams=streams) for streams in (True, False)]
        simulator, serving = (stack.enter_context(served(app)) for app in services)
        targets = {"driftline-monitor": monitor, "driftline-simulator": simulator, "driftline-serving": serving}
        _configure(folder, targets, manager, receiver)
        programs = {
            "prometheus-alertmanager": (
                manager, "--config.file=alertmanager.yml", f"--web.listen-address={manager}",
                "--cluster.listen-address=", "--storage.path=alertmanager",
            ),
            "prometheus": (
                address, "--config.file=prometheus.yml", f"--web.listen-address={address}", "--storage.tsdb.path=data",
            ),
        }  # fmt: skip
        for name, (listening, *arguments) in programs.items():
            command = [*prometheus.command(name), *arguments]
            stack.enter_context(running(command, folder, name, f"http://{listening}/-/ready"))
        yield Watched(address, receiver, monitor, operator)


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
    deadline = time.monotonic() + SECONDS
    while (empty := _empty_panels(watched)) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert empty == []
    page = requests.get(f"http://{watched.monitor}/metrics", headers=headers, timeout=10)
    assert page.status_code == 403, "the operator's token scraped"


def _log_a_batch(connection: Connection) -> None:
    """Write the entry of a batch that was ingested now; the test's world stores rows without one."""
    number = connection.execute(select(models.c.number).where(models.c.name == NAME)).scalar_one()
    entry = {"kind": "predictions", "state": "stored", "format": "text/csv", "body_bytes": 9, "rows_sent": 300}
    entry |= {"model_number": number, "received_at": naive_utc(utc_now())}
    connection.execute(insert(ingest_log).values(entry))


def _received(receiver: HttpReceiver) -> set[tuple[str, str]]:
    """Return the alerts that fired, each with what it is about."""
    bodies = [json.loads(post.body) for post in receiver.posts]
    firing = (alert["labels"] for body in bodies for alert in body["alerts"] if alert["status"] == "firing")
    return {(labels["alertname"], labels.get("channel") or labels.get("model", "")) for labels in firing}


def _empty_panels(watched: Watched) -> list[str]:
    """Return the queries of dashboards that Prometheus answers with nothing."""
    queries = [query for board in DASHBOARDS for panel in board.panels for query in panel.queries.values()]
    return [query for query in queries if not watched.query(re.sub(r'"\$\w+"', '".*"', query))]
