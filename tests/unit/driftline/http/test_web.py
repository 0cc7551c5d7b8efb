"""Every failure has the same JSON shape, whatever raised it."""

import logging
import re
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from pydantic import BaseModel, ConfigDict, Field

from driftline.errors import DatabaseUnavailable
from driftline.http import web


class Order(BaseModel):
    """The input schema of the test's route."""

    model_config = ConfigDict(extra="forbid", strict=True)

    count: int = Field(1, ge=1)
    name: str = "x"


def crash() -> None:
    raise RuntimeError("the driver's message")


def unavailable() -> None:
    raise DatabaseUnavailable


def succeed() -> dict[str, str]:
    return {}


@pytest.fixture
def app() -> APIFlask:
    app = web.make_app("test", "Test")
    web.install(app, unavailable, polled=["/polled", "/crash"])
    app.get("/polled")(succeed)
    app.get("/crash")(crash)
    app.post("/order")(app.input(Order, arg_name="order")(lambda order: order.model_dump()))
    return app


@pytest.fixture
def client(app: APIFlask) -> FlaskClient:
    client: FlaskClient = app.test_client()
    return client


def error_of(response: Any) -> Any:
    assert set(response.json) == {"error"}
    assert set(response.json["error"]) == {"code", "message", "details"}
    return response.json["error"]


def test_unknown_paths_and_methods_have_the_error_shape(client: FlaskClient) -> None:
    missing, wrong = client.get("/nothing"), client.get("/order")
    assert (missing.status_code, error_of(missing)["code"]) == (404, "not_found")
    assert (wrong.status_code, error_of(wrong)["code"]) == (405, "method_not_allowed")
    assert "POST" in wrong.headers["Allow"]


def test_all_faults_of_a_body_are_listed(client: FlaskClient) -> None:
    response = client.post("/order", json={"count": 0, "name": 3, "extra": 1})
    assert response.status_code == 400
    details = error_of(response)["details"]
    assert [detail.split(":")[0] for detail in details] == ["count", "name", "extra"]
    assert details[0] == "count: 0 is out of range; write 1 or more"


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"text"'])
def test_a_body_that_is_not_an_object_is_a_bad_request(client: FlaskClient, body: bytes) -> None:
    response = client.post("/order", data=body, content_type="application/json")
    assert response.status_code == 400
    assert error_of(response)["message"]


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded", None])
def test_an_empty_body_uses_the_defaults(client: FlaskClient, content_type: str | None) -> None:
    response = client.post("/order", content_type=content_type)
    assert (response.status_code, response.json) == (200, {"count": 1, "name": "x"})


@pytest.mark.parametrize("body", ["[" * 200_000, '{"a":' * 200_000])
def test_a_deeply_nested_body_is_a_bad_request(client: FlaskClient, body: str) -> None:
    response = client.post("/order", data=body, content_type="application/json")
    assert (response.status_code, error_of(response)["code"]) == (400, "bad_request")


@pytest.mark.parametrize("path", ["/polled", "/crash", "/nothing", "/healthz", "/openapi.json"])
def test_every_response_has_the_security_headers(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Server" not in headers


def test_an_unexpected_error_is_logged_and_not_shown(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        response = client.get("/crash")
    assert response.status_code == 500
    assert "driver" not in response.text
    assert error_of(response)["code"] == "driftline_error"
    assert any(record.exc_info for record in caplog.records)


def test_alive_does_not_mean_ready(client: FlaskClient) -> None:
    assert client.get("/healthz").status_code == 200
    response = client.get("/readyz")
    assert (response.status_code, error_of(response)["code"]) == (503, "database_unavailable")


def test_the_description_has_routes_and_error_shape(client: FlaskClient) -> None:
    document: Any = client.get("/openapi.json").json
    assert set(document["paths"]) == {"/healthz", "/readyz", "/crash", "/order", "/polled"}
    assert "400" in document["paths"]["/order"]["post"]["responses"]
    assert "422" not in document["paths"]["/order"]["post"]["responses"]


@pytest.mark.parametrize("path", ["/a%0AERROR all is lost", "/%1b[31m", "/ä", "/%ff"])
def test_a_path_cannot_write_lines_into_the_log(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    with caplog.at_level(logging.INFO):
        client.get(path)
    (line,) = (record.getMessage() for record in caplog.records)
    assert re.fullmatch(r"GET /[A-Za-z0-9%]+ from 127\.0\.0\.1 404 in \d+ ms", line)


@pytest.mark.parametrize("method", ["A\rERROR ALL IS LOST", "GE\x1b[3A", "GE\x85", "GE\x9b"])
def test_a_method_cannot_write_lines_into_the_log(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    with caplog.at_level(logging.INFO):
        client.open("/nowhere", method=method)
    (line,) = (record.getMessage() for record in caplog.records)
    assert line.isascii()
    assert line.isprintable()


@pytest.mark.parametrize(
    ("method", "path", "logged"),
    [("get", "/polled", False), ("get", "/healthz", False), ("post", "/polled", True), ("get", "/crash", True)],
)
def test_successful_polling_is_not_logged(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, method: str, path: str, logged: bool
) -> None:
    with caplog.at_level(logging.INFO):
        getattr(client, method)(path)
    assert any(record.getMessage().startswith(f"{method.upper()} {path}") for record in caplog.records) == logged
