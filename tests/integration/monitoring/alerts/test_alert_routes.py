"""Channels and deliveries over HTTP and on their page: read by readers, tested and repeated by operators."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from driftline.clock import utc_now
from driftline.engine.results import State
from driftline.http.authorization import tokens
from driftline.http.authorization.scopes import Scope
from driftline.settings import AccessSettings, DatabaseSettings
from stack.testing.fixtures import DatabaseAddress
from tests.integration.monitoring.alerts.receivers import ReceivingServer
from tests.integration.monitoring.applications import monitor_of
from tests.integration.monitoring.incidents.days import Days

HOOK = "T0/Kx9abc"


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    return mariadb


@pytest.fixture
def app(
    engine: Engine,
    receiver: ReceivingServer,
    database_settings: DatabaseSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[APIFlask]:
    """Return a monitor with one channel, and tokens of two scopes."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "ops_url").write_text(receiver.url(f"/hooks/{HOOK}"))
    monkeypatch.setenv("DRIFTLINE_SECRETS", str(tmp_path / "secrets"))
    channels = {"ops": {"type": "slack", "secret": "ops_url", "allow_internal": True}}
    file = tmp_path / "alerts.yaml"
    file.write_text(yaml.safe_dump({"channels": channels, "routes": [{"channels": ["ops"]}], "back_fill_days": 9_000}))
    for scope in (Scope.READ, Scope.OPERATE):
        token = tokens.create(tmp_path / "tokens.json", scope, frozenset({Scope.READ, scope}), utc_now())
        (tmp_path / scope).write_text(token)
    access = AccessSettings(tokens=tmp_path / "tokens.json")
    options = {"alerts": file, "public_url": "https://driftline.example"}
    with monitor_of(database_settings, tmp_path / "output", access, **options) as app:
        yield app


def holder(app: APIFlask, folder: Path, scope: Scope) -> FlaskClient:
    client: FlaskClient = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {(folder / scope).read_text()}"
    return client


def test_an_operator_tests_a_channel_and_repeats_what_failed(
    app: APIFlask, receiver: ReceivingServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "monitoring")
    reader, operator = (holder(app, tmp_path, scope) for scope in (Scope.READ, Scope.OPERATE))
    assert reader.post("/api/v1/channels/ops/test").status_code == 403
    receiver.status = 500
    failed = operator.post("/api/v1/channels/ops/test").get_json()
    assert (failed["state"], failed["problem"]) == ("dead", "The channel's server answered with the status 500.")
    assert reader.get("/api/v1/channels").get_json() == {
        "channels": [{"name": "ops", "type": "slack", "pending": 0, "delivered": 0, "dead": 1}]
    }
    (dead,) = reader.get("/api/v1/deliveries?state=dead").get_json()["deliveries"]
    assert (dead["number"], dead["kind"], dead["attempts"]) == (failed["delivery"], "test", 1)
    page = reader.get("/alerts").get_data(as_text=True)
    assert "dead letter" in page
    assert f'action="/alerts/deliveries/{dead["number"]}/retry"' in page
    retried = operator.post(f"/api/v1/deliveries/{dead['number']}/retry")
    assert retried.get_json() == {"number": dead["number"], "state": "pending"}
    assert operator.post(f"/api/v1/deliveries/{dead['number']}/retry").status_code == 409
    assert operator.post("/api/v1/deliveries/99999/retry").status_code == 404
    assert operator.post("/api/v1/channels/fax/test").status_code == 404
    receiver.status = 200
    redirected = operator.post("/alerts/channels/ops/test")
    assert (redirected.status_code, redirected.headers["Location"]) == (303, "/alerts?channel=ops#deliveries")
    pages = [reader.get(path).get_data(as_text=True) for path in ("/alerts", "/api/v1/channels", "/api/v1/deliveries")]
    assert [text for text in (*pages, caplog.text) if HOOK in text] == []
    assert receiver.posts[-1].path == f"/hooks/{HOOK}"


def test_a_poll_plans_what_a_verdict_changes(app: APIFlask, tmp_path: Path, days: Days) -> None:
    days.verdict(0, State.ALERT)
    operator = holder(app, tmp_path, Scope.OPERATE)
    assert operator.post("/run-monitoring").status_code == 200
    (delivery,) = operator.get("/api/v1/deliveries").get_json()["deliveries"]
    assert (delivery["state"], delivery["kind"], delivery["attempts"]) == ("pending", "opened", 0)
    assert delivery["headline"] == f"flights, incident {delivery['incident']}: New incident, Alert"
    page = operator.get("/alerts").get_data(as_text=True)
    assert delivery["headline"] in page
    assert f'href="/incidents/{delivery["incident"]}"' in page
