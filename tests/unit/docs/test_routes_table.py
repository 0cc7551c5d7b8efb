"""The reference of routes lists what all services serve, and the curl commands of the example are valid."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
from apiflask import APIFlask
from flask import Flask

import flaskapp.app
import monitoring.app
import serving.app
from churn.columns import CDR_USAGE
from driftline.http.access import PROBES, scope_of
from driftline.http.authorization.scopes import Scope
from driftline.http.metrics import PATH
from driftline.settings import DatabaseSettings, KafkaLibrary, KafkaSettings
from flaskapp.settings import Settings, SimulatorSettings
from flaskapp.stream.request import StartStream, read_start
from flaskapp.world.drifts import DriftKind
from monitoring.settings import MonitorSettings
from serving.settings import ServingSettings
from tests.unit.docs.pages import EXAMPLE, ROOT, ROUTES, fenced, section, spans, table

SECURITY = ROOT / "docs" / "how-to" / "security.md"
LATER = date(2200, 1, 1)


@pytest.fixture(scope="module")
def unused_port() -> int:
    """Return a port where nothing listens; a service lists its routes without its servers."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def services(unused_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, APIFlask]]:
    """Return the three services, built without servers."""
    database = DatabaseSettings.model_validate({"port": unused_port, "user": "nobody", "password": "none"})
    quick_publisher = KafkaLibrary.KAFKA_PYTHON  # finds a broker away at once, the other after seconds
    kafka = KafkaSettings(bootstrap_servers=f"127.0.0.1:{unused_port}", publisher=quick_publisher)
    simulator = flaskapp.app.create_app(Settings(database, kafka, SimulatorSettings()))
    settings = MonitorSettings(output=tmp_path_factory.mktemp("output"))
    monitor = monitoring.app.create_app(settings, database, polls=False)
    yield {
        "simulator": simulator,
        "monitor": monitor,
        "serving": serving.app.create_app(ServingSettings(), database).flask,
    }
    simulator.extensions["streaming"].close()


def routes_of(app: Flask) -> set[str]:
    rules = (rule for rule in app.url_map.iter_rules() if not rule.endpoint.endswith("static"))
    return {f"{method} {rule.rule}" for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}


def documented(service: str) -> set[str]:
    rows = table(ROUTES, "Routes")
    return {span for name, routes, *_ in rows if name in (service, "all") for span in spans(routes)}


@pytest.mark.parametrize("name", ["simulator", "monitor", "serving"])
def test_the_table_of_routes_is_that_of_the_service(name: str, services: dict[str, APIFlask]) -> None:
    assert documented(name) == routes_of(services[name])


RUNS = {"/run-monitoring", "/api/v1/runs", "/api/v1/runs/<run>"}
INCIDENTS = ("/api/v1/incidents/<int:number>", "/incidents/<int:number>")
ACTIONS = ("acknowledge", "comments", "assignment", "assign", "silence", "unsilence")
ON_INCIDENTS = {f"{incident}/{action}" for incident in INCIDENTS for action in ACTIONS}
ON_ALERTS = {
    f"{prefix}/{action}"
    for prefix in ("/api/v1", "/alerts")
    for action in ("channels/<name>/test", "deliveries/<int:number>/retry")
}
OPERATES = {"/start_stream", "/stop_stream", "/start", "/stop", *RUNS, *ON_INCIDENTS, *ON_ALERTS}
"""Routes that change something, or tell what that did; all others only read, but for those that take rows."""
INGESTS = {f"/api/v1/models/<name>/{kind}" for kind in ("predictions", "labels", "corrections", "deletions")}
ADMINISTERS = {
    "DELETE /api/v1/models/<name>",
    "POST /api/v1/models/<name>",
    "POST /api/v1/models/<name>/specs",
    "POST /api/v1/models/<name>/versions/<int:version>/retire",
    "POST /api/v1/models/<name>/versions/<int:version>/promote",
    "POST /api/v1/models/<name>/rollback",
    "PUT /api/v1/models/<name>/owner",
    "PUT /api/v1/models/<name>/schedule",
    "DELETE /api/v1/models/<name>/schedule",
    *(f"{method} /models/<name>/spec/edit" for method in ("GET", "POST")),
    *(f"{method} /register{key}" for method in ("GET", "POST") for key in ("", "/<key>")),
}


PREDICTS = {"POST /", "POST /predict", "GET /ws/predict"}


@pytest.mark.parametrize("name", ["simulator", "monitor", "serving"])
def test_every_route_declares_the_scope_it_needs(name: str, services: dict[str, APIFlask]) -> None:
    app = services[name]
    declared = {
        f"{method} {rule.rule}": scope_of(app, rule.endpoint)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert declared == {route: _expected_scope(route) for route in declared}


def _expected_scope(route: str) -> Scope | None:
    rule = route.partition(" ")[2]
    if route in PREDICTS:
        return Scope.PREDICT
    if rule in PROBES or route in ADMINISTERS:
        return None if rule in PROBES else Scope.ADMIN
    if rule == PATH:
        return Scope.SCRAPE
    return Scope.OPERATE if rule in OPERATES else Scope.INGEST if rule in INGESTS else Scope.READ


def test_the_page_on_security_names_the_scope_of_every_route(services: dict[str, APIFlask]) -> None:
    documented_scopes = {spans(scope)[0]: {*spans(allows)} for scope, allows in table(SECURITY, "Tokens and limits")}
    required: dict[str, set[str]] = {scope: set() for scope in Scope}
    for app in services.values():
        for rule in app.url_map.iter_rules():
            scope = scope_of(app, rule.endpoint)
            if scope and not rule.endpoint.startswith(("pages.", "static")):
                required[scope] |= {f"{method} {rule.rule}" for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    assert documented_scopes == required


def test_every_route_is_explained() -> None:
    rows = table(ROUTES, "Routes")
    assert {name for name, *_ in rows} == {"simulator", "monitor", "serving", "all"}
    assert [routes for _, routes, answers in rows if not answers] == []


def test_every_curl_command_uses_a_route(services: dict[str, APIFlask]) -> None:
    ports = {str(SimulatorSettings.model_fields["port"].default): "simulator"}
    ports[str(MonitorSettings.model_fields["port"].default)] = "monitor"
    commands = re.findall(
        r"curl (?:-X (\w+) )?(?:localhost|127\.0\.0\.1):(\d+)(/\S*)", "\n".join(fenced(EXAMPLE, "sh"))
    )
    assert len(commands) >= 5
    for method, port, path in commands:
        assert f"{method or 'GET'} {path}" in routes_of(services[ports[port]])


def test_the_simulator_accepts_every_body_shown() -> None:
    bodies = re.findall(r"/start_stream -H '[^']*' -d '(\{.*?\})'", "\n".join(fenced(EXAMPLE, "sh")), re.DOTALL)
    assert bodies
    for body in bodies:
        request, drifts = read_start(json.loads(body), LATER)
        assert request.start_date is not None
        assert all(drift.start > request.start_date for drift in drifts)
        assert {*json.loads(body)} >= {*StartStream.model_fields} - {"batch_size"}


def test_the_page_states_the_defaults_of_a_stream() -> None:
    plain = StartStream()
    assert (plain.num_batches, plain.batch_size, plain.interval) == (10, 1000, timedelta(minutes=1).total_seconds())
    assert "10 batches of 1,000 records stamped now, one a minute" in EXAMPLE.read_text()


def test_every_kind_of_drift_is_named() -> None:
    named = {*spans(section(EXAMPLE, "Stream records"))}
    assert named >= {*DriftKind}
    assert {*re.findall(r"\bDP_M\w+", EXAMPLE.read_text())} <= {*CDR_USAGE}


def test_the_page_shows_the_format_of_errors(services: dict[str, APIFlask]) -> None:
    answer = services["monitor"].test_client().get("/nowhere")
    assert answer.status_code == 404
    assert answer.json is not None
    fields = re.findall(r'"(\w+)"', section(ROUTES, "Routes").split("|")[0])
    assert sorted(fields) == sorted(["error", *answer.json["error"]])


def _untyped(route: str) -> str:
    """Return a route as OpenAPI has it, without the types of its parameters."""
    return route.replace("<int:", "<")


def test_the_openapi_names_every_route_of_the_table(services: dict[str, APIFlask], tmp_path: Path) -> None:
    for name, app in services.items():
        document = app.test_client().get("/openapi.json").json
        assert document is not None
        described = {re.sub(r"\{(\w+)\}", r"<\1>", path) for path in document["paths"]}
        api = {
            route.split()[1]
            for route in map(_untyped, documented(name))
            if not re.search(r" /(openapi|metrics|$|models/|incidents|alerts|changes|register|start$|stop$)", route)
        }
        assert api <= described
