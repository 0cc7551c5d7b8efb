"""Rows over HTTP: stored for the holder of the scope, refused with a status that tells a client what to do."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from driftline.clock import utc_now
from driftline.http import access
from driftline.http.authorization import tokens
from driftline.http.authorization.scopes import Scope
from driftline.http.server.server import MAX_CONCURRENT_REQUESTS, make_server
from driftline.http.web import install, make_app
from driftline.ingest.ingestion import Ingestion
from driftline.ingest.rows.content import Encoding, Format
from driftline.settings import AccessSettings, DatabaseSettings, TlsSettings
from monitoring.api.ingest.routes import make_ingest_api
from monitoring.api.pressure import MOST_BATCHES, MOST_WAITING, Pressure, TooManyBatches
from stack.testing.fixtures import DatabaseAddress
from tests.integration.driftline.ingest.senders import body_of, labels_of, nested, rows
from tests.integration.monitoring.applications import monitor_of
from tests.integration.monitoring.world import NAME, make_world

PREDICTIONS, LABELS = f"/api/v1/models/{NAME}/predictions", f"/api/v1/models/{NAME}/labels"


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    return mariadb


@pytest.fixture
def app(engine: Engine, database_settings: DatabaseSettings, tmp_path: Path) -> Iterator[APIFlask]:
    make_world(engine, tmp_path)
    access = AccessSettings(tokens=tmp_path / "tokens.json", max_body=1_000, max_ingest_body=100_000)
    for scope in Scope:
        token = tokens.create(tmp_path / "tokens.json", scope, frozenset({scope}), utc_now())
        (tmp_path / scope).write_text(token)
    with monitor_of(database_settings, tmp_path / "output", access) as app:
        yield app


def holder(app: APIFlask, folder: Path, scope: Scope) -> FlaskClient:
    client: FlaskClient = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {(folder / scope).read_text()}"
    return client


def test_a_batch_that_has_to_wait_too_long_is_sent_again_later(engine: Engine) -> None:
    """Over HTTP; the batch that holds the slot is still being stored."""
    pressure, web = Pressure(most=1, wait_seconds=0.01), make_app("busy", "Busy")
    access.guard(web, "127.0.0.1", AccessSettings())
    install(web, ready=lambda: None)
    web.register_blueprint(make_ingest_api(Ingestion(engine, utc_now), pressure))
    server = make_server(web, "127.0.0.1", 0, TlsSettings(cert=None, key=None))
    serving = threading.Thread(target=server.serve)
    serving.start()
    connection = HTTPConnection("127.0.0.1", server.bind_addr[1], timeout=10)
    statuses = []
    with pressure.slot():
        for method, path in (("POST", PREDICTIONS), ("GET", "/healthz")):
            connection.request(method, path, b"[]" if method == "POST" else None, {"Content-Type": Format.JSON})
            answer = connection.getresponse()
            statuses.append((answer.status, answer.headers["Retry-After"]))
            body = answer.read()
            assert answer.status == 200 or json.loads(body)["error"]["code"] == "too_many_batches"
    connection.close()
    server.stop()
    serving.join()
    assert statuses == [(503, "2"), (200, None)]


def test_rows_are_stored_and_polled(app: APIFlask, tmp_path: Path) -> None:
    writer = holder(app, tmp_path, Scope.INGEST)
    answer = writer.post(PREDICTIONS, json=nested(rows()), headers={"Idempotency-Key": "one"})
    assert (answer.status_code, answer.json) == (
        200, {"batch": "predictions/1/key/one", "rows": 20, "new": 20, "same": 0},
    )  # fmt: skip
    body = body_of(rows(), Format.ARROW, Encoding.ZSTD)
    again = writer.post(PREDICTIONS, data=body, content_type=Format.ARROW, headers={"Content-Encoding": "zstd"})
    assert again.json is not None
    assert again.json["same"] == 20
    labelled = writer.post(LABELS, data=body_of(labels_of(rows()), Format.CSV), content_type="text/csv; charset=utf-8")
    assert labelled.json is not None
    assert (labelled.json["new"], labelled.json["revised"]) == (20, 0)
    polled = holder(app, tmp_path, Scope.OPERATE).post("/run-monitoring").json
    assert polled is not None
    assert polled["models"][0]["chunks"][0]["rows"] == 20


def test_several_words_stand_for_a_missing_value(app: APIFlask, tmp_path: Path) -> None:
    first, second, *others = nested(rows())
    first["features"] |= {"minutes": "ERR"}
    second["features"] |= {"distance": "gone"}
    writer = holder(app, tmp_path, Scope.INGEST)
    assert writer.post(f"{PREDICTIONS}?na_values=ERR", json=[first, second]).status_code == 400
    answer = writer.post(f"{PREDICTIONS}?na_values=ERR&na_values=gone", json=[first, second, *others])
    assert (answer.status_code, answer.json and answer.json["new"]) == (200, 20)


def test_a_refusal_lists_the_faulty_rows(app: APIFlask, tmp_path: Path) -> None:
    sent = nested(rows())
    sent[3]["score"], sent[7]["features"]["minutes"] = 7, "ERR"
    del sent[9]["features"]["carrier"]
    answer = holder(app, tmp_path, Scope.INGEST).post(PREDICTIONS, json=sent)
    assert answer.status_code == 400
    assert answer.json is not None
    error = answer.json["error"]
    assert [(row["row"], row["column"], row["value"]) for row in error["rows"]] == [
        (4, "score", "7.0"), (8, "features.minutes", "ERR"), (10, "features.carrier", None),
    ]  # fmt: skip
    assert all(row["cure"] for row in error["rows"])
    assert error["more_rows"] is False


def test_the_log_is_for_readers(app: APIFlask, tmp_path: Path) -> None:
    writer, reader = holder(app, tmp_path, Scope.INGEST), holder(app, tmp_path, Scope.READ)
    writer.post(PREDICTIONS, json=nested(rows()))
    writer.post(PREDICTIONS, json=[{"id": 1}])
    log = reader.get(f"/api/v1/models/{NAME}/ingest").json
    assert log is not None
    assert [(entry["state"], entry["new"], entry["caller"]) for entry in log["entries"]] == [
        ("refused", None, "ingest"), ("stored", 20, "ingest"),
    ]  # fmt: skip
    refused = reader.get(f"/api/v1/models/{NAME}/ingest?state=refused&most=1").json
    assert refused is not None
    assert "Columns are missing" in refused["entries"][0]["reason"]
    assert writer.get(f"/api/v1/models/{NAME}/ingest").status_code == 403
    assert reader.get("/api/v1/models/none/ingest").status_code == 404


CASES: list[tuple[str, dict[str, Any], int]] = [
    (PREDICTIONS, {"json": [{"id": 1}]}, 400),
    (PREDICTIONS, {"json": [], "headers": {"Idempotency-Key": ""}}, 400),
    (f"{PREDICTIONS}?versions=1", {"json": []}, 400),
    (f"{PREDICTIONS}?version=7", {"json": []}, 404),
    ("/api/v1/models/none/predictions", {"json": []}, 404),
    (PREDICTIONS, {"data": b"x" * 100_001, "content_type": "text/csv"}, 413),
    (PREDICTIONS, {"data": b"x", "content_type": "text/plain"}, 415),
    (PREDICTIONS, {"data": b"x"}, 415),
    (PREDICTIONS, {"json": [], "headers": {"Content-Encoding": "br"}}, 415),
    (PREDICTIONS, {"json": [], "headers": {"Content-Encoding": "gzip"}}, 400),
    (LABELS, {"json": {"id": "a", "label": 3}}, 400),
]


@pytest.mark.parametrize(("path", "options", "status"), CASES)
def test_a_refusal_has_its_status_and_the_cure(
    app: APIFlask, tmp_path: Path, path: str, options: dict[str, Any], status: int
) -> None:
    answer = holder(app, tmp_path, Scope.INGEST).post(path, **options)
    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["error"]["message"]


def test_a_bomb_is_not_unpacked(app: APIFlask, tmp_path: Path) -> None:
    import pyarrow as pa  # noqa: PLC0415

    bomb = pa.Codec("zstd").compress(b" " * (300 * 2**20), asbytes=True)
    assert len(bomb) < 100_000
    headers = {"Content-Encoding": "zstd"}
    answer = holder(app, tmp_path, Scope.INGEST).post(PREDICTIONS, data=bomb, content_type="text/csv", headers=headers)
    assert answer.status_code == 413


def test_a_conflict_is_409_and_other_scopes_are_403(app: APIFlask, tmp_path: Path) -> None:
    writer = holder(app, tmp_path, Scope.INGEST)
    writer.post(PREDICTIONS, json=nested(rows()))
    changed = json.loads(json.dumps(nested(rows())))
    changed[0]["features"]["distance"] = -1
    assert writer.post(PREDICTIONS, json=changed).status_code == 409
    for scope in (Scope.READ, Scope.OPERATE):
        assert holder(app, tmp_path, scope).post(PREDICTIONS, json=changed).status_code == 403


def test_batches_beyond_the_limit_wait_and_then_come_again() -> None:
    pressure = Pressure(most=1, wait_seconds=0.01)
    with pressure.slot(), pytest.raises(TooManyBatches) as caught, pressure.slot():
        pass
    assert caught.value.headers == (("Retry-After", "2"),)
    with pressure.slot():
        pass


def test_waiting_batches_leave_requests_for_others() -> None:
    """Of too many batches at once, those beyond the limit are refused without a wait, and the others are stored."""
    assert MOST_BATCHES + MOST_WAITING < MAX_CONCURRENT_REQUESTS
    most = MOST_BATCHES + MOST_WAITING
    pressure, refused = Pressure(), threading.Barrier(MAX_CONCURRENT_REQUESTS - most + MOST_BATCHES)

    def store() -> bool:
        try:
            with pressure.slot():
                if not finished.is_set():
                    refused.wait(5)
                    finished.set()
        except TooManyBatches:
            refused.wait(5)
            return False
        return True

    finished = threading.Event()
    with ThreadPoolExecutor(MAX_CONCURRENT_REQUESTS) as threads:
        stored = [threads.submit(store) for _ in range(MAX_CONCURRENT_REQUESTS)]
    assert sum(future.result() for future in stored) == most
