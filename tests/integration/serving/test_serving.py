"""Serving as a process of its own: predictions over HTTP and WebSocket, logged to a monitor, under tokens."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import urllib3
from sklearn.ensemble import HistGradientBoostingClassifier
from sqlalchemy import insert, select
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from churn.columns import FEATURES, Processed
from churn.tables import processed
from driftline.http.authorization.scopes import Scope
from driftline.settings import DatabaseSettings, LocalSettings
from driftline.store.tables import predictions
from driftline.store.versions import registry, roles
from driftline.store.versions.roles import Author
from serving.app import create_app
from serving.settings import ServingSettings
from tests.integration.fuzzing import PROBING, closed, faults, open_doors
from tests.integration.serving.conftest import CARRIERS, NUMBERED, ServingWorld
from tests.unit.docs.pages import ROOT, fenced

GUIDE = ROOT / "docs" / "how-to" / "serve-a-model.md"
SOCKETS = ("/ws/predict", "/ws/predictions")
"""Addresses that are not WebSockets to a client of HTTP: they answer 426."""
FEBRUARY = datetime(2026, 2, 3, 10, tzinfo=UTC)


def row(number: int) -> dict[str, Any]:
    return {"minutes": number / 7 - 1, "distance": 90.0 + number, "carrier": CARRIERS[number % 3]}


def expected(model: HistGradientBoostingClassifier, rows: list[dict[str, Any]]) -> list[float]:
    frame = pd.DataFrame(rows, columns=["minutes", "distance", "carrier"])
    scores = model.predict_proba(frame.assign(carrier=frame["carrier"].map(NUMBERED).astype(float)))[:, 1]
    return [float(score) for score in scores]


@contextmanager
def socket(world: ServingWorld, path: str, token: str, **headers: str) -> Iterator[ClientConnection]:
    address = world.url.replace("http", "ws") + path
    authorization = {"Authorization": f"Bearer {token}", **headers}
    with connect(address, additional_headers=authorization, proxy=None) as connection:
        yield connection


def stored(world: ServingWorld, ids: list[str], model: str = "flights") -> dict[str, int]:
    """Return the versions of stored predictions by their ids, once all of them have arrived."""
    deadline = time.monotonic() + 60
    while True:
        with world.engine.connect() as connection:
            number = registry.version_key(connection, model).model_number
            statement = select(predictions.c.id, predictions.c.model_version).where(
                predictions.c.model_number == number, predictions.c.id.in_(ids)
            )
            versions = {str(row_id): int(version) for row_id, version in connection.execute(statement)}
        if len(versions) == len(ids) or time.monotonic() > deadline:
            return versions
        time.sleep(0.2)


def test_an_untrained_model_is_a_503_that_says_what_to_do(world: ServingWorld) -> None:
    status, body = world.predict({"features": {}})
    assert status == 503
    assert body["error"]["code"] == "not_servable"
    assert "`driftline models add`" in body["error"]["message"]
    status, body = world.predict({"model": "nobody", "features": {}})
    assert (status, body["error"]["code"]) == (404, "not_found")


@pytest.fixture(scope="module")
def flights(world: ServingWorld) -> HistGradientBoostingClassifier:
    return world.register_flights(seed=1)


def test_predictions_equal_the_estimators_and_reach_the_monitor(
    world: ServingWorld, flights: HistGradientBoostingClassifier
) -> None:
    status, single = world.predict({"model": "flights", "id": "one", "features": row(3)})
    assert (status, single["id"], single["version"]) == (200, "one", 1)
    assert single["score"] == pytest.approx(expected(flights, [row(3)])[0], abs=1e-6)
    assert single["prediction"] == int(single["score"] >= 0.5)
    rows: list[dict[str, Any]] = [
        {"id": f"many-{n}", "features": row(n), "at": FEBRUARY.isoformat()} for n in range(50)
    ]
    rows[7]["features"] = {"minutes": None, "distance": 5, "carrier": "unheard of"}
    status, many = world.predict({"model": "flights", "rows": rows})
    assert status == 200
    scores = expected(flights, [each["features"] for each in rows])
    assert [each["score"] for each in many["predictions"]] == pytest.approx(scores, abs=1e-6)
    ids = ["one", *(each["id"] for each in rows)]
    assert stored(world, ids) == dict.fromkeys(ids, 1)


def test_a_row_that_is_only_tried_is_not_logged(world: ServingWorld, flights: HistGradientBoostingClassifier) -> None:
    status, body = world.predict({"model": "flights", "features": row(1), "log": False})
    assert (status, body["id"]) == (200, None)
    status, body = world.predict({"model": "flights", "features": row(1)})
    assert status == 200
    assert body["id"]


def test_all_faults_are_listed_and_nothing_is_predicted(
    world: ServingWorld, flights: HistGradientBoostingClassifier
) -> None:
    rows = [
        {"id": "bad", "features": {"minutes": "long", "distance": 1, "carrier": "AA"}},
        {"id": "bad", "features": {"distance": 1, "carrier": "AA", "weather": 3}},
    ]
    status, body = world.predict({"model": "flights", "rows": rows})
    assert status == 400
    text = " ".join(body["error"]["details"])
    assert "row 2: features are missing: minutes" in text
    assert "row 2: unknown features: weather" in text
    assert "2 rows have the id 'bad'" in text
    status, body = world.predict({"model": "flights", "rows": rows[:1]})
    assert body["error"]["details"] == ["row 1: 'minutes' is 'long'; send a number or null."]
    bodies: list[Any] = [
        [],
        {"rows": []},
        {"features": {}, "subscriber": "1"},
        {"features": {}, "colour": 1},
        {"rows": [{}]},
    ]
    for wrong in bodies:
        status, body = world.predict(wrong)
        assert status == 400, wrong
        assert body["error"]["message"]


def test_the_model_describes_itself(world: ServingWorld, flights: HistGradientBoostingClassifier) -> None:
    status, body = world.call("GET", "/model?model=flights", token=world.read_token)
    assert (status, body["version"], body["threshold"]) == (200, 1, 0.5)
    assert body["features"][2] == {"name": "carrier", "categories": [*CARRIERS]}


def test_a_websocket_answers_each_message_as_a_request(
    world: ServingWorld, flights: HistGradientBoostingClassifier
) -> None:
    with socket(world, "/ws/predict", world.predict_token) as connection:
        connection.send(json.dumps({"model": "flights", "id": "socket", "features": row(5)}))
        assert json.loads(connection.recv(10))["score"] == pytest.approx(expected(flights, [row(5)])[0], abs=1e-6)
        connection.send("{")
        assert json.loads(connection.recv(10))["error"]["code"] == "bad_request"
        connection.send(json.dumps({"model": "nobody", "features": {}}))
        assert json.loads(connection.recv(10))["error"]["code"] == "not_found"
    assert stored(world, ["socket"]) == {"socket": 1}


@pytest.mark.parametrize("path", ["/ws/predict", "/ws/predictions"])
def test_a_websocket_is_refused_as_a_request_is(world: ServingWorld, path: str) -> None:
    token, wrong_scope = (world.predict_token, world.read_token) if path == "/ws/predict" else (
        world.read_token,
        world.predict_token,
    )  # fmt: skip
    refusals = [("wrong", {}, 401), (wrong_scope, {}, 403), (token, {"Origin": "https://elsewhere.example"}, 403)]
    for submitted, headers, status in refusals:
        with pytest.raises(InvalidStatus) as refused, socket(world, path, submitted, **headers):
            pass
        assert refused.value.response.status_code == status
        assert json.loads(refused.value.response.body or b"")["error"]["message"]
    status, body = world.call("GET", path, token=token)
    assert (status, body["error"]["code"]) == (426, "upgrade_required")


def test_the_feed_has_predictions_of_its_model_without_features(
    world: ServingWorld, flights: HistGradientBoostingClassifier
) -> None:
    with (
        socket(world, "/ws/predictions?model=flights", world.read_token) as watched,
        socket(world, "/ws/predictions?model=another", world.read_token) as idle,
    ):
        watched.ping().wait(10)
        time.sleep(0.3)  # the subscription follows the handshake
        _, answer = world.predict({"model": "flights", "id": "live", "features": row(2)})
        event = json.loads(watched.recv(10))
        assert event == {name: answer[name] for name in ("model", "version", "id", "prediction", "score")}
        with pytest.raises(TimeoutError):
            idle.recv(0.2)


def test_a_slow_or_large_body_is_refused(world: ServingWorld) -> None:
    status, body = world.call("POST", "/predict", body=b" " * 2_000_000)
    assert (status, body["error"]["code"]) == (413, "request_entity_too_large")


@pytest.fixture(scope="module")
def churn(world: ServingWorld) -> HistGradientBoostingClassifier:
    return world.register_churn()


def test_a_subscriber_has_the_features_that_are_stored(
    world: ServingWorld, churn: HistGradientBoostingClassifier, flights: HistGradientBoostingClassifier
) -> None:
    values = {name: float(number + 1) for number, name in enumerate(FEATURES)}
    prepared = {**values, Processed.DATE: date(2026, 2, 27), Processed.USER: "4912345", "batch_number": 1}
    with world.engine.begin() as connection:
        connection.execute(insert(processed).values(prepared))
    status, body = world.predict({"subscriber": "4912345"})
    assert status == 200, body
    score = churn.predict_proba(pd.DataFrame([values], columns=list(FEATURES)))[0, 1]
    assert body["score"] == pytest.approx(score, abs=1e-6)
    assert body["prediction"] == int(score >= 0.3)
    assert body["at"] == "2026-02-27T00:00:00+00:00"
    assert stored(world, [body["id"]], "churn") == {body["id"]: 1}
    status, body = world.predict({"subscriber": "nobody"})
    assert (status, "send `features`" in body["error"]["message"]) == (404, True)
    status, body = world.predict({"model": "flights", "subscriber": "4912345"})
    assert (status, "lack features of the model: minutes" in body["error"]["message"]) == (400, True)
    status, body = world.predict({"features": values})
    assert (status, "`at` is missing" in body["error"]["details"][0]) == (400, True)


def await_more(answers: list[tuple[int, int, Any]], version: int) -> None:
    """Wait until the last 30 answers are of a version."""
    deadline = time.monotonic() + 60
    while {body.get("version") for _, _, body in answers[-30:]} != {version}:
        assert time.monotonic() < deadline, f"version {version} is not served"
        time.sleep(0.05)


def test_a_version_is_replaced_without_losing_a_request(
    world: ServingWorld, flights: HistGradientBoostingClassifier
) -> None:
    answers: list[tuple[int, int, Any]] = []
    stopped = threading.Event()

    def load(thread: int) -> None:
        number = 0
        while not stopped.is_set():
            number += 1
            status, body = world.predict({"model": "flights", "id": f"load-{thread}-{number}", "features": row(number)})
            answers.append((number, status, body))

    threads = [threading.Thread(target=load, args=(thread,)) for thread in range(3)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(0.3)
        second = world.register_flights(seed=2)
        await_more(answers, 2)
        roles.promote(world.engine, "flights", 1, Author("anna", FEBRUARY, "the newer one is worse"))
        await_more(answers, 1)
        assert roles.rollback(world.engine, "flights", Author("anna", FEBRUARY, "it is not")) == 2
        await_more(answers, 2)
    finally:
        stopped.set()
        for thread in threads:
            thread.join()
    assert {status for _, status, _ in answers} == {200}
    versions = {body["id"]: body["version"] for _, _, body in answers}
    assert set(versions.values()) == {1, 2}
    for version, model in ((1, flights), (2, second)):
        of_version = [(number, body["score"]) for number, _, body in answers if body["version"] == version]
        scores = expected(model, [row(number) for number, _ in of_version])
        np.testing.assert_allclose([score for _, score in of_version], scores, atol=1e-6)
    assert stored(world, [*versions]) == versions


def test_the_page_tries_a_row_without_logging_it(world: ServingWorld, flights: HistGradientBoostingClassifier) -> None:
    headers = urllib3.make_headers(basic_auth=f"any:{world.predict_token}")
    fields = {"model": "flights", "row": json.dumps({"features": row(4)})}
    page = urllib3.request("POST", f"{world.url}/", headers=headers, fields=fields)
    assert page.status == 200
    assert "&#34;score&#34;" in page.data.decode()
    assert "script" not in page.headers["Content-Security-Policy"]
    broken = urllib3.request("POST", f"{world.url}/", headers=headers, fields={"model": "flights", "row": "{"})
    assert (broken.status, "is not valid JSON" in broken.data.decode()) == (400, True)


def test_the_client_of_the_guide_gets_the_same_score_twice(
    world: ServingWorld, tmp_path: Path, churn: HistGradientBoostingClassifier
) -> None:
    (code,) = [block for block in fenced(GUIDE, "python") if "websockets" in block]
    program = tmp_path / "client.py"
    program.write_text(code.replace("127.0.0.1:5002", world.url.removeprefix("http://")))
    token = world.token(Scope.PREDICT, Scope.READ)
    environment = os.environ | {"DRIFTLINE_TOKEN": token}
    output = subprocess.run([sys.executable, program], env=environment, capture_output=True, text=True, check=True)
    missing = pd.DataFrame([dict.fromkeys(FEATURES, np.nan)])
    score = float(churn.predict_proba(missing)[0, 1])
    printed = dict(line.split() for line in output.stdout.splitlines())
    assert {name: pytest.approx(float(text)) for name, text in printed.items()} == {"REST": score, "WebSocket": score}


def test_it_answers_as_described_and_never_with_an_error(
    world: ServingWorld, flights: HistGradientBoostingClassifier, tmp_path: Path
) -> None:
    scope, token = closed(tmp_path)
    url = world.engine.url
    database = DatabaseSettings.model_validate(
        {"host": url.host, "port": url.port, "user": url.username, "password": url.password, "name": url.database}
    )
    settings = ServingSettings(model="flights", monitor_url="http://127.0.0.1:9")
    service = create_app(settings, database, scope, LocalSettings(var=tmp_path))
    try:
        assert {*open_doors(service.flask)} == PROBING
        assert faults(service.flask, token, refusing=("/predict", *SOCKETS)) == []
    finally:
        service.close()
