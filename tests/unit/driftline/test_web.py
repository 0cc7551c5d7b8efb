"""Every failure has one shape, whatever raised it."""

import logging
from http import HTTPStatus
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from driftline import web
from driftline.errors import DatabaseUnavailable, InvalidInput


class Order(BaseModel):
    """What the test's route takes."""

    model_config = ConfigDict(extra="forbid", strict=True)

    count: int = Field(1, ge=1)
    name: str = "x"


def crash() -> None:
    raise RuntimeError("the driver's own words")


def unavailable() -> None:
    raise DatabaseUnavailable


def fine() -> dict[str, str]:
    return {}


@pytest.fixture
def app() -> APIFlask:
    app = web.make_app("test", "Test")
    web.install(app, unavailable, polled=["/polled", "/crash"])
    app.get("/polled")(fine)
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


def test_an_unknown_path_and_a_wrong_method_have_the_shape(client: FlaskClient) -> None:
    missing, wrong = client.get("/nothing"), client.get("/order")
    assert (missing.status_code, error_of(missing)["code"]) == (404, "not_found")
    assert (wrong.status_code, error_of(wrong)["code"]) == (405, "method_not_allowed")
    assert "POST" in wrong.headers["Allow"]


def test_all_faults_of_a_body_come_at_once(client: FlaskClient) -> None:
    response = client.post("/order", json={"count": 0, "name": 3, "extra": 1})
    assert response.status_code == 400
    details = error_of(response)["details"]
    assert [detail.split(":")[0] for detail in details] == ["count", "name", "extra"]


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"text"'])
def test_a_body_that_is_no_object_is_a_bad_request(client: FlaskClient, body: bytes) -> None:
    response = client.post("/order", data=body, content_type="application/json")
    assert response.status_code == 400
    assert error_of(response)["message"]


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded", None])
def test_an_empty_body_takes_the_defaults(client: FlaskClient, content_type: str | None) -> None:
    response = client.post("/order", content_type=content_type)
    assert (response.status_code, response.json) == (200, {"count": 1, "name": "x"})


def test_a_crash_is_logged_and_says_nothing_of_the_driver(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        response = client.get("/crash")
    assert response.status_code == 500
    assert "driver" not in response.text
    assert error_of(response)["code"] == "driftline_error"
    assert any(record.exc_info for record in caplog.records)


def test_alive_is_not_ready(client: FlaskClient) -> None:
    assert client.get("/healthz").status_code == 200
    response = client.get("/readyz")
    assert (response.status_code, error_of(response)["code"]) == (503, "database_unavailable")


def test_the_description_names_the_routes_and_the_error_shape(client: FlaskClient) -> None:
    document: Any = client.get("/openapi.json").json
    assert set(document["paths"]) == {"/healthz", "/readyz", "/crash", "/order", "/polled"}
    assert "400" in document["paths"]["/order"]["post"]["responses"]
    assert "422" not in document["paths"]["/order"]["post"]["responses"]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_is_open(app: APIFlask, host: str) -> None:
    web.guard(app, host, None)
    assert app.test_client().post("/order").status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "simulator"])  # noqa: S104
@pytest.mark.parametrize("token", [None, SecretStr("")])
def test_elsewhere_a_token_must_be_set(app: APIFlask, host: str, token: SecretStr | None) -> None:
    with pytest.raises(InvalidInput, match="token"):
        web.guard(app, host, token)


def test_a_token_is_asked_for_except_by_the_probes(app: APIFlask) -> None:
    web.guard(app, "0.0.0.0", SecretStr("right"))  # noqa: S104
    client = app.test_client()

    def status(header: dict[str, str]) -> int:
        return int(client.post("/order", headers=header).status_code)

    assert status({}) == status({"Authorization": "Bearer wrong"}) == HTTPStatus.UNAUTHORIZED
    assert status({"Authorization": "Bearer right"}) == HTTPStatus.OK
    assert client.get("/healthz").status_code == HTTPStatus.OK


@pytest.mark.parametrize(
    ("method", "path", "logged"),
    [("get", "/polled", False), ("get", "/healthz", False), ("post", "/polled", True), ("get", "/crash", True)],
)
def test_polling_that_goes_well_is_not_logged(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, method: str, path: str, logged: bool
) -> None:
    with caplog.at_level(logging.INFO):
        getattr(client, method)(path)
    assert any(record.getMessage().startswith(f"{method.upper()} {path}") for record in caplog.records) == logged
