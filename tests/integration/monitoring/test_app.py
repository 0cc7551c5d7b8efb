"""The monitor over HTTP: what it answers, shows and writes, with and without a database and a model."""

import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import jsonschema_rs
import pandas as pd
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from werkzeug.test import TestResponse

from driftline.report.schema import ChunkOut
from driftline.settings import DatabaseSettings
from driftline.store import migrate
from driftline.store.database import make_engine
from driftline.store.tables import ledger, model_versions
from monitoring.app import create_app
from monitoring.settings import MonitorSettings
from stack.servers import ports
from stack.testing.fixtures import DatabaseAddress
from tests.integration.monitoring.applications import monitor_of
from tests.integration.monitoring.world import DAY, FIRST, MonitoredWorld, make_world
from tests.unit.docs.pages import ROOT

RACERS = 10


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    """One server is enough for what is said over HTTP."""
    return mariadb


@pytest.fixture
def client(engine: Engine, database_settings: DatabaseSettings, tmp_path: Path) -> Iterator[FlaskClient]:
    assert engine
    with monitor_of(database_settings, tmp_path / "output") as app:
        yield app.test_client()


@pytest.fixture
def watched(engine: Engine, client: FlaskClient, tmp_path: Path) -> Iterator[FlaskClient]:
    """A monitor after its first poll: eight days, drift in the last three, the labels of the first four."""
    world = make_world(engine, tmp_path)
    for day in range(8):
        world.predict(day, shift=2.0 if day > 4 else 0.0)
    for day in range(4):
        world.label(day)
    assert client.get("/run-monitoring").status_code == 200
    yield client


def _json(answer: TestResponse) -> Any:
    assert answer.json is not None, answer.text
    return answer.json


def test_without_a_model_the_api_advises_training(client: FlaskClient) -> None:
    for method in ("GET", "POST"):
        answer = client.open("/run-monitoring", method=method)
        assert (answer.status_code, _json(answer)["missing"][0]["missing"]) == (
            200,
            "No model version is registered yet.",
        )
        assert "driftline models add" in _json(answer)["missing"][0]["to_do"]
    assert "No model version is registered yet." in client.get("/").text


def test_without_predictions_the_api_advises_scoring(client: FlaskClient, engine: Engine, tmp_path: Path) -> None:
    make_world(engine, tmp_path)
    assert _json(client.post("/run-monitoring"))["models"] == []
    listed = _json(client.get("/api/v1/models/flights/chunks"))
    assert (listed["chunks"], listed["missing"][0]["missing"]) == ([], "No predictions have come yet.")
    assert "No predictions have come yet." in client.get("/models/flights").text


def test_run_monitoring_returns_what_was_computed(client: FlaskClient, engine: Engine, tmp_path: Path) -> None:
    world = make_world(engine, tmp_path)
    world.predict(0)
    first, again = _json(client.post("/run-monitoring")), _json(client.get("/run-monitoring"))
    assert (first["batches"], first["chunks"], first["failed"], first["verdicts"]) == (1, 1, 0, 1)
    assert (again["chunks"], again["message"], again["models"]) == (0, "Nothing was pending.", [])
    (model,) = first["models"]
    assert (model["name"], model["computed"], model["failed"]) == ("flights", ["2026-02-01T00:00:00Z"], [])
    (chunk,) = model["chunks"]
    assert (chunk["start"], chunk["verdict"], chunk["rows"]) == ("2026-02-01T00:00:00Z", "pending_labels", 300)


def test_chunks_are_listed_within_the_requested_bounds(shared_client: FlaskClient) -> None:
    answer = _json(shared_client.get("/api/v1/models/flights/chunks?from=2026-02-02T00:00:00Z&to=2026-02-03T23:59:59Z"))
    assert [chunk["start"] for chunk in answer["chunks"]] == ["2026-02-02T00:00:00Z", "2026-02-03T00:00:00Z"]
    first = answer["chunks"][0]
    assert (first["verdict"], first["provisional"], first["labelled"], first["closed"]) == ("ok", False, 300, True)
    realized = {r["method"]: r for r in first["results"] if (r["subject"], r["kind"]) == ("model", "realized")}
    assert set(realized) == {"roc_auc", "f1", "accuracy"}
    assert realized["roc_auc"]["alert_lower"] < realized["roc_auc"]["lower"] < realized["roc_auc"]["value"]
    later = _json(shared_client.get("/api/v1/models/flights/chunks?from=2026-02-07"))["chunks"]
    assert [chunk["drifted"] for chunk in later] == [["minutes"], []], "the newest is open: nothing lasts yet"
    assert [chunk["drift_seen"] for chunk in later] == [["minutes"], ["minutes"]]
    first_of_it = _json(shared_client.get("/api/v1/models/flights/chunks?from=2026-02-06&to=2026-02-06"))["chunks"][0]
    assert (first_of_it["drift_seen"], first_of_it["drifted"]) == (["minutes"], [])
    assert any("seen in one closed chunk so far" in reason for reason in first_of_it["reasons"])
    assert _json(shared_client.get("/api/v1/models/flights/chunks?from=2027-01-01"))["chunks"] == []


def test_chunks_are_valid_under_the_published_schema(shared_client: FlaskClient) -> None:
    published = json.loads((ROOT / "docs/reference/backtest.schema.json").read_text())
    validator = jsonschema_rs.validator_for({"$defs": published["$defs"], "$ref": "#/$defs/ChunkOut"})
    chunks = _json(shared_client.get("/api/v1/models/flights/chunks"))["chunks"]
    assert [error for chunk in chunks for error in validator.iter_errors(chunk)] == []
    assert [chunk.keys() == ChunkOut.model_fields.keys() for chunk in chunks] == [True] * 8


def test_a_day_without_predictions_is_listed(engine: Engine, client: FlaskClient, tmp_path: Path) -> None:
    world = make_world(engine, tmp_path)
    world.predict(0)
    world.predict(2)
    client.get("/run-monitoring")
    chunks = _json(client.get("/api/v1/models/flights/chunks"))["chunks"]
    assert [(chunk["rows"], chunk["verdict"], chunk["revision"]) for chunk in chunks] == [
        (300, "pending_labels", 1),
        (0, "no_data", None),
        (300, "pending_labels", 1),
    ]


def test_older_revisions_stay_readable(watched: FlaskClient, engine: Engine) -> None:
    MonitoredWorld(engine).label(1, flipped=True)
    assert _json(watched.get("/run-monitoring"))["revisions"] == 1
    answer = _json(watched.get("/api/v1/models/flights/chunks/2026-02-02/revisions"))
    assert [(revision["revision"], revision["verdicts"][-1]["verdict"]) for revision in answer["revisions"]] == [
        (1, "ok"),
        (2, "alert"),
    ]
    values = [{(r["kind"], r["method"]): r["value"] for r in revision["results"]} for revision in answer["revisions"]]
    assert values[0]["realized", "f1"] > 0.6 > values[1]["realized", "f1"]
    assert values[0]["estimated", "f1"] == values[1]["estimated", "f1"]
    assert answer["revisions"][0]["batches"] != answer["revisions"][1]["batches"]


def test_a_revision_names_the_batches_it_was_computed_from(watched: FlaskClient, engine: Engine) -> None:
    world = MonitoredWorld(engine)
    world.label(1, flipped=True)
    watched.get("/run-monitoring")
    path = "/api/v1/models/flights/chunks/2026-02-02/lineage"
    newest, first = _json(watched.get(path)), _json(watched.get(f"{path}?revision=1"))
    assert (newest["revision"], first["revision"]) == (2, 1)
    for lineage in (first, newest):
        assert [(batch["kind"], batch["rows_in_chunk"]) for batch in lineage["batches"]] == [
            ("predictions", 300),
            ("labels", 0),
        ]
    assert first["batches"][0] == newest["batches"][0]
    assert first["batches"][1]["number"] != newest["batches"][1]["number"], "the labels were corrected"
    stored = {row["number"]: row["batch_id"] for row in world.rows(ledger)}
    assert {batch["number"]: batch["batch_id"] for batch in newest["batches"]}.items() <= stored.items()
    assert newest["reference_hash"] == world.version.reference_hash
    assert newest["training_run"] is None


REFUSED = {
    "/api/v1/models/nobody/chunks": (404, "not_found", "Registered: flights"),
    "/api/v1/models/flights/chunks?version=9": (404, "not_found", "Ready: 1"),
    "/api/v1/models/flights/chunks?from=soon": (400, "invalid_input", "from"),
    "/api/v1/models/flights/chunks?form=2026-02-01": (400, "invalid_input", "form"),
    "/api/v1/models/flights/chunks/soon/revisions": (400, "invalid_input", "2026-01-31"),
    "/api/v1/models/flights/chunks/2020-01-01/revisions": (404, "not_found", "/api/v1/models/flights/chunks"),
    "/api/v1/models/flights/chunks/2020-01-01/lineage": (404, "not_found", "/api/v1/models/flights/chunks"),
    "/api/v1/models/flights/chunks/2026-02-02/lineage?revision=9": (404, "not_found", "its revisions are 1"),
}


def test_errors_have_one_shape_and_name_the_cure(shared_client: FlaskClient) -> None:
    for path, (status, code, words) in REFUSED.items():
        answer = shared_client.get(path)
        error = _json(answer)["error"]
        assert (answer.status_code, error["code"]) == (status, code), path
        assert words in f"{error['message']} {error['details']}"


def test_the_api_is_described(client: FlaskClient) -> None:
    paths = _json(client.get("/openapi.json"))["paths"]
    assert set(paths) >= {
        "/healthz",
        "/readyz",
        "/run-monitoring",
        "/api/v1/models/{name}/chunks",
        "/api/v1/models/{name}/chunks/{start}/lineage",
        "/api/v1/models/{name}/chunks/{start}/revisions",
    }
    assert set(paths["/run-monitoring"]) == {"get", "post"}
    chunks = paths["/api/v1/models/{name}/chunks"]["get"]
    assert {parameter["name"] for parameter in chunks["parameters"]} >= {"from", "to", "version"}
    assert chunks["responses"]["200"]["content"]["application/json"]["schema"]


def test_the_page_shows_states_in_words_and_loads_nothing_else(shared_client: FlaskClient) -> None:
    page = shared_client.get("/models/flights")
    for words in ("OK", "Waiting for labels", "What is missing", "ROC AUC", "drift that lasts", "4 days whose labels"):
        assert words in page.text
    assert page.text.count('class="cell') == 8
    assert re.findall(r'(?:src|href)="(?:https?:)?//', page.text) == []
    assert page.headers["Content-Security-Policy"].startswith(
        "default-src 'none'; script-src 'self'; style-src 'self';"
    )
    assert "style=" not in page.text, "the policy allows no inline style"
    for asset in set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)):
        with shared_client.get(asset) as answer:
            assert answer.status_code == 200
    assert 'href="/models/flights"' in shared_client.get("/").text
    answer = shared_client.get("/models/nobody")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "Ready: flights." in answer.text


def test_reports_are_written_after_a_poll_that_changed_something(
    watched: FlaskClient, engine: Engine, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    names = {"performance_report.csv", "drift_report.csv", "performance_flights.png", "drift_flights.png"}
    assert {path.name for path in output.iterdir()} == names | {"report_flights.html"}
    performance = pd.read_csv(output / "performance_report.csv")
    assert len(performance) == 8 * 3
    day = performance[(performance["chunk_start"] == FIRST.isoformat()) & (performance["metric"] == "roc_auc")].iloc[0]
    assert day["verdict"] == "ok"
    assert day["lower_bound"] < day["realized"]
    assert abs(day["estimated"] - day["realized"]) < 0.1
    unlabelled = performance[performance["chunk_start"] == (FIRST + 6 * DAY).isoformat()]
    assert unlabelled["realized"].isna().all()
    assert set(unlabelled["realized_state"]) == {"pending_labels"}
    drift = pd.read_csv(output / "drift_report.csv")
    assert set(drift[drift["lasting"]]["column"]) == {"minutes"}
    assert all((output / name).read_bytes().startswith(b"\x89PNG") for name in names if name.endswith("png"))
    written = {path: path.stat().st_mtime_ns for path in output.iterdir()}
    watched.get("/run-monitoring")
    assert {path: path.stat().st_mtime_ns for path in output.iterdir()} == written, "nothing changed"
    (output / "performance_report.csv").unlink()
    watched.get("/run-monitoring")
    assert (output / "performance_report.csv").exists()


def test_a_poll_that_takes_longer_is_answered_with_a_link(
    engine: Engine, database_settings: DatabaseSettings, tmp_path: Path
) -> None:
    world = make_world(engine, tmp_path)
    world.predict(0)
    with monitor_of(database_settings, tmp_path / "output", run_wait_seconds=0.05) as app:
        client = app.test_client()
        with engine.begin() as holder:
            holder.execute(select(model_versions.c.version).with_for_update())
            accepted, joined = client.post("/run-monitoring"), client.get("/run-monitoring")
            assert (accepted.status_code, joined.status_code, _json(accepted)) == (202, 202, _json(joined))
            path = accepted.headers["Location"]
            assert _json(client.get(path))["state"] == "running"
            assert _json(client.get(path))["result"] is None
        _until(lambda: _json(client.get(path))["state"] == "ended")
        result = _json(client.get(path))["result"]
        assert (result["batches"], result["chunks"], result["models"][0]["name"]) == (1, 1, "flights")
        assert _json(client.get("/api/v1/runs"))["runs"][0]["run"] == result["run"]
        assert client.get("/api/v1/runs/0").status_code == 404


def test_readiness_follows_the_schema(mariadb: DatabaseAddress, tmp_path: Path) -> None:
    settings = DatabaseSettings.model_validate(mariadb.settings())
    with monitor_of(settings, tmp_path) as app:
        client = app.test_client()
        answer = client.get("/readyz")
        assert (answer.status_code, _json(answer)["error"]["code"]) == (503, "not_migrated")
        assert client.get("/healthz").status_code == 200
        engine = make_engine(settings)
        migrate.upgrade(engine)
        assert client.get("/readyz").status_code == 200
        engine.dispose()


def test_a_missing_database_is_reported_and_survived(tmp_path: Path) -> None:
    away = DatabaseSettings.model_validate(
        {"host": "127.0.0.1", "port": ports.any_free(), "user": "nobody", "password": "x", "name": "nowhere"}
    )
    with monitor_of(away, tmp_path) as app:
        client = app.test_client()
        for path in ("/run-monitoring", "/api/v1/models", "/readyz"):
            answer = client.get(path)
            assert (answer.status_code, _json(answer)["error"]["code"]) == (503, "database_unavailable")
            assert "check DB_HOST and DB_PORT" in _json(answer)["error"]["message"]
        page = client.get("/")
        assert (page.status_code, page.mimetype) == (503, "text/html")
        assert "The last poll failed" in page.text


def test_the_background_poll_computes(engine: Engine, database_settings: DatabaseSettings, tmp_path: Path) -> None:
    world = make_world(engine, tmp_path)
    world.predict(0)
    app = create_app(MonitorSettings(output=tmp_path / "output", poll_seconds=0.2), database_settings)
    try:
        _until(lambda: world.states() == {0: "pending_labels"})
    finally:
        app.extensions["poller"].shutdown(wait=True)
        app.extensions["engine"].dispose()


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, "it did not come true within 30 seconds"
        time.sleep(0.05)


def test_bounds_at_the_ends_of_the_calendar_are_no_fault(shared_client: FlaskClient) -> None:
    ends = ("0001-01-01", "0001-01-01T00:00:00%2B14:00", "0001-01-02", "9999-12-31", "9999-12-31T23:59:59-12:00")
    for path in ("/api/v1/models/flights/chunks", "/models/flights"):
        for first in (*ends, None):
            for last in (*ends, None):
                bounds = [f"{name}={end}" for name, end in (("from", first), ("to", last)) if end]
                answer = shared_client.get(f"{path}?{'&'.join(bounds)}")
                assert answer.status_code in {200, 400, 422}, (answer.request.url, answer.text)
    for end in ends:
        assert shared_client.get(f"/api/v1/models/flights/chunks/{end}/revisions").status_code == 400
    assert _json(shared_client.get("/api/v1/models/flights/chunks?to=0001-01-01"))["chunks"] == []
    assert len(_json(shared_client.get("/api/v1/models/flights/chunks?from=0001-01-01&to=9999-12-31"))["chunks"]) == 8
    for version in (2**31, 2**63, 2**64, 10**30):
        assert shared_client.get(f"/api/v1/models/flights/chunks?version={version}").status_code == 404


def test_racing_polls_compute_each_chunk_once(engine: Engine, client: FlaskClient, tmp_path: Path) -> None:
    world = make_world(engine, tmp_path)
    for day in range(4):
        world.predict(day)
        world.label(day)
    line = Barrier(RACERS)

    def poll(number: int) -> TestResponse:
        with client.application.test_client() as racer:
            line.wait(30)
            return racer.open("/run-monitoring", method=("GET", "POST")[number % 2])

    with ThreadPoolExecutor(RACERS) as pool:
        answers = list(pool.map(poll, range(RACERS)))
    assert {answer.status_code for answer in answers} == {200}
    runs = {_json(answer)["run"]: _json(answer) for answer in answers}
    assert sum(run["chunks"] for run in runs.values()) == 4
    assert sum(run["failed"] for run in runs.values()) == 0
    assert len(runs) < RACERS, "some have joined others"
    for chunk in _json(client.get("/api/v1/models/flights/chunks"))["chunks"]:
        revisions = _json(client.get(f"/api/v1/models/flights/chunks/{chunk['start']}/revisions"))["revisions"]
        assert len(revisions) == 1
