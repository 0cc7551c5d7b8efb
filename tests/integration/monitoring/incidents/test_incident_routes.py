"""Incidents over HTTP: listed and read by readers, acknowledged and commented by operators."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from driftline.clock import utc_now
from driftline.engine.results import State
from driftline.http.authorization import tokens
from driftline.http.authorization.scopes import Scope
from driftline.settings import AccessSettings, DatabaseSettings
from monitoring.incidents.update import update_incidents
from stack.testing.fixtures import DatabaseAddress
from tests.integration.monitoring.applications import monitor_of
from tests.integration.monitoring.incidents.days import Days
from tests.integration.monitoring.world import FIRST, NAME, make_world

PREFIX = "/api/v1/incidents"


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    return mariadb


@pytest.fixture
def days(engine: Engine, tmp_path: Path) -> Days:
    """A resolved incident of days 1 and 2, and an open one of day 4."""
    version = make_world(engine, tmp_path).version
    days = Days(engine, version.key, detector=False)
    for day, state in enumerate((State.OK, State.WARN, State.ALERT, State.OK, State.ALERT)):
        days.verdict(day, state)
    update_incidents(engine)
    return days


@pytest.fixture
def app(days: Days, database_settings: DatabaseSettings, tmp_path: Path) -> Iterator[APIFlask]:
    file = tmp_path / "tokens.json"
    for scope in (Scope.READ, Scope.OPERATE):
        (tmp_path / scope).write_text(tokens.create(file, scope, frozenset({Scope.READ, scope}), utc_now()))
    access = AccessSettings(tokens=file)
    with monitor_of(database_settings, tmp_path / "output", access) as app:
        yield app


def holder(app: APIFlask, folder: Path, scope: Scope) -> FlaskClient:
    client: FlaskClient = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {(folder / scope).read_text()}"
    return client


def listed(client: FlaskClient, **query: Any) -> list[dict[str, Any]]:
    answer = client.get(PREFIX, query_string=query).json
    assert answer is not None
    incidents: list[dict[str, Any]] = answer["incidents"]
    return incidents


def test_incidents_are_listed_newest_first_and_filtered(app: APIFlask, tmp_path: Path) -> None:
    reader = holder(app, tmp_path, Scope.READ)
    newest, oldest = listed(reader)
    assert [(i["state"], i["severity"], i["worst"], i["first"]) for i in (newest, oldest)] == [
        ("open", "alert", "alert", "2026-02-05T00:00:00Z"), ("resolved", "alert", "alert", "2026-02-02T00:00:00Z"),
    ]  # fmt: skip
    assert listed(reader, state="open", model=NAME) == [newest]
    assert listed(reader, most=1) == [newest]
    assert listed(reader, most=1, before=newest["number"]) == [oldest]
    assert listed(reader, to="2026-02-03") == [oldest]
    assert listed(reader, **{"from": "2026-02-04"}) == [newest]
    assert listed(reader, version=2) == []
    assert listed(reader, model="none") == listed(reader, model="ключ") == []


def test_an_incident_tells_what_happened(app: APIFlask, tmp_path: Path) -> None:
    reader = holder(app, tmp_path, Scope.READ)
    number = listed(reader, state="resolved")[0]["number"]
    detail = reader.get(f"{PREFIX}/{number}").json
    assert detail is not None
    assert [(e["kind"], e["before"], e["state"], e["reason"]) for e in detail["events"]] == [
        ("opened", None, "warn", "warn in 2."),
        ("worse", "warn", "alert", "alert in 3."),
        ("resolved", "alert", "ok", "ok in 4."),
    ]
    assert reader.get(f"{PREFIX}/{number + 100}").status_code == 404


def test_what_people_add_survives_late_labels(app: APIFlask, days: Days, tmp_path: Path) -> None:
    operator = holder(app, tmp_path, Scope.OPERATE)
    newest, oldest = listed(operator)
    operator.post(f"{PREFIX}/{newest['number']}/comments", json={"text": "A late feed?", "author": "somebody"})
    first = operator.post(f"{PREFIX}/{newest['number']}/acknowledge").json
    again = operator.post(f"{PREFIX}/{newest['number']}/acknowledge").json
    assert first is not None
    assert first == again
    assert first == {"number": newest["number"], "state": "open"}
    days.verdict(3, State.WARN)  # both incidents are one now
    update_incidents(days.engine)
    (joined,) = listed(operator)
    assert (joined["number"], joined["acknowledged_by"]) == (oldest["number"], "operate")
    assert joined["last"] == (FIRST + timedelta(days=4)).isoformat().replace("+00:00", "Z")
    detail = operator.get(f"{PREFIX}/{joined['number']}").json
    assert detail is not None
    assert [(c["author"], c["text"]) for c in detail["comments"]] == [("operate", "A late feed?")]
    assert [e["kind"] for e in detail["events"]] == ["opened", "worse", "revised", "better", "worse"]


def test_an_incident_is_assigned_and_silenced_with_a_history(app: APIFlask, days: Days, tmp_path: Path) -> None:
    operator, reader = holder(app, tmp_path, Scope.OPERATE), holder(app, tmp_path, Scope.READ)
    newest, oldest = listed(reader)
    path, page = f"{PREFIX}/{newest['number']}", f"/incidents/{newest['number']}"
    until = (utc_now() + timedelta(hours=8)).isoformat()
    reason = {"until": until, "reason": "The feed is repaired."}
    assert reader.put(f"{path}/silence", json=reason).status_code == 403
    assert operator.put(f"{path}/silence", json=reason | {"until": "2026-01-01"}).status_code == 400
    assert operator.put(f"{path}/silence", json=reason).status_code == 200
    assert operator.put(f"{path}/assignment", json={"to": "bob"}).status_code == 200
    assert operator.put(f"{PREFIX}/999/assignment", json={"to": "bob"}).status_code == 404
    text = reader.get(page).text
    for words in ("The feed is repaired.", "assigned it to bob", "silenced it until", "End the silence now"):
        assert words in text
    assert "silenced until" in reader.get("/").text
    assert operator.post(f"{page}/unsilence").status_code == 303
    assert operator.post(f"{page}/assign", data={"to": " "}).status_code == 303
    assert operator.post(f"{page}/silence", data={"hours": "24", "reason": ""}).status_code == 400
    assert operator.post(f"{page}/silence", data={"hours": "24", "reason": "Again."}).status_code == 303
    assert operator.put(f"{path}/assignment", json={"to": "eve"}).status_code == 200
    days.verdict(3, State.WARN)  # both incidents are one now
    update_incidents(days.engine)
    joined = reader.get(f"{PREFIX}/{oldest['number']}").json
    assert joined is not None
    assert (joined["assigned_to"], joined["silenced_until"]) == ("eve", None)
    assert [(action["kind"], action["text"]) for action in joined["actions"]] == [
        ("silenced", "The feed is repaired."), ("assigned", "bob"), ("unsilenced", None), ("assigned", None),
        ("silenced", "Again."), ("assigned", "eve"),
    ]  # fmt: skip


def test_operators_without_the_scope_read_are_answered_the_state_only(app: APIFlask, tmp_path: Path) -> None:
    number = listed(holder(app, tmp_path, Scope.READ))[0]["number"]
    token = tokens.create(tmp_path / "tokens.json", "operator", frozenset({Scope.OPERATE}), utc_now())
    client: FlaskClient = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    assert client.get(f"{PREFIX}/{number}").status_code == 403
    for path, body in (("acknowledge", None), ("comments", {"text": "x"})):
        answer = client.post(f"{PREFIX}/{number}/{path}", json=body)
        assert (answer.status_code, answer.json) == (200, {"number": number, "state": "open"})


def test_readers_neither_acknowledge_nor_comment(app: APIFlask, tmp_path: Path) -> None:
    reader = holder(app, tmp_path, Scope.READ)
    number = listed(reader)[0]["number"]
    assert reader.post(f"{PREFIX}/{number}/acknowledge").status_code == 403
    assert reader.post(f"{PREFIX}/{number}/comments", json={"text": "x"}).status_code == 403
    operator = holder(app, tmp_path, Scope.OPERATE)
    assert operator.post(f"{PREFIX}/{number}/comments", json={"text": ""}).status_code == 400
    assert operator.post(f"{PREFIX}/{number + 100}/comments", json={"text": "x"}).status_code == 404


def test_the_dashboard_shows_open_incidents(app: APIFlask, tmp_path: Path) -> None:
    reader = holder(app, tmp_path, Scope.READ)
    page = reader.get(f"/models/{NAME}").text
    assert "Open incidents" in page
    assert "alert in 5." in page
    assert "alert in 3." not in page.split("</table>")[0]


def test_a_person_acknowledges_and_comments_on_the_page(app: APIFlask, tmp_path: Path) -> None:
    operator, reader = holder(app, tmp_path, Scope.OPERATE), holder(app, tmp_path, Scope.READ)
    number = listed(reader, state="open")[0]["number"]
    page = f"/incidents/{number}"
    assert f'href="{page}"' in reader.get("/incidents?state=open&model=").text
    assert reader.post(f"{page}/acknowledge").status_code == 403
    answer = operator.post(f"{page}/acknowledge")
    assert (answer.status_code, answer.headers["Location"]) == (303, page)
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert operator.post(f"{page}/comments", data={"text": "x"}, headers=foreign).status_code == 403
    assert operator.post(f"{page}/comments", data={"text": ""}).status_code == 400
    assert operator.post(f"{page}/comments", data={"text": "<b>Seen</b>"}).status_code == 303
    text = reader.get(page).text
    assert "By <b>operate</b>" in text
    assert "&lt;b&gt;Seen&lt;/b&gt;" in text
    assert reader.get("/incidents/999").status_code == 404
