"""Without tokens a service serves loopback and its own pages only; with tokens, every client with the scope."""

import base64
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask import request
from flask.testing import FlaskClient
from pydantic import BaseModel
from werkzeug.test import TestResponse

from driftline.errors import InvalidInput
from driftline.http import access, web
from driftline.http.access import needs
from driftline.http.authorization import tokens
from driftline.http.authorization.scopes import Scope
from driftline.settings import AccessSettings

NOW = datetime(2026, 1, 31, tzinfo=UTC)
OTHER_HOSTS = ["0.0.0.0", "::", "10.0.0.1", "simulator", "localhost.example", ""]  # noqa: S104
MakeClient = Callable[..., FlaskClient]


class EmptyOutput(BaseModel):
    """The output schema of the test's route."""


@needs(Scope.READ)
def read() -> dict[str, str]:
    return {}


@needs(Scope.OPERATE)
def operate() -> dict[str, int]:
    return {"bytes": len(request.get_data())}


def undeclared() -> dict[str, str]:
    return {"secret": "shown"}


@pytest.fixture(scope="module")
def make_client() -> MakeClient:
    """Makes a client of an app whose routes are guarded with some access settings."""

    def make(host: str = "127.0.0.1", clock: Callable[[], datetime] = lambda: NOW, **settings: Any) -> FlaskClient:
        app: APIFlask = web.make_app("test", "Test")
        access.guard(app, host, AccessSettings(**settings), clock)
        web.install(app, lambda: None)
        app.get("/read")(app.output(EmptyOutput)(read))
        app.route("/operate", methods=["GET", "POST"])(operate)
        app.get("/undeclared")(undeclared)
        client: FlaskClient = app.test_client()
        return client

    return make


@pytest.fixture(scope="module")
def open_client(make_client: MakeClient) -> FlaskClient:
    """A client of an app without tokens."""
    return make_client()


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A file with one token of all scopes, and the token."""
    tokens_file = tmp_path_factory.mktemp("access") / "tokens.json"
    return tokens_file, tokens.create(tokens_file, "all", frozenset(Scope), NOW)


@pytest.fixture(scope="module")
def guarded_client(make_client: MakeClient, token: tuple[Path, str]) -> FlaskClient:
    """A client of an app that requires `token`."""
    return make_client(tokens=token[0])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tokens.json"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def basic(token: str, user: str = "") -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{token}'.encode()).decode()}"}


def error_of(answer: TestResponse) -> tuple[int, str]:
    assert answer.json is not None
    assert set(answer.json["error"]) == {"code", "message", "details"}
    return answer.status_code, answer.json["error"]["message"]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_is_open(make_client: MakeClient, host: str) -> None:
    client = make_client(host)
    assert [client.get(path).status_code for path in ("/read", "/operate", "/openapi.json")] == [200] * 3
    assert client.post("/operate").status_code == HTTPStatus.OK


@pytest.mark.parametrize("host", OTHER_HOSTS)
def test_other_hosts_require_tokens(make_client: MakeClient, host: str, file: Path) -> None:
    with pytest.raises(InvalidInput, match="DRIFTLINE_TOKENS"):
        make_client(host)
    with pytest.raises(InvalidInput, match="driftline token create"):
        make_client(host, tokens=file)
    token = tokens.create(file, "all", frozenset(Scope), NOW)
    assert make_client(host, tokens=file).get("/read", headers=bearer(token)).status_code == HTTPStatus.OK


@pytest.mark.parametrize("header", [bearer, basic, lambda token: basic(token, "anybody")])
def test_a_token_allows_its_scopes_only(
    make_client: MakeClient, file: Path, header: Callable[[str], dict[str, str]]
) -> None:
    reader = header(tokens.create(file, "reader", frozenset({Scope.READ}), NOW))
    operator = header(tokens.create(file, "operator", frozenset({Scope.OPERATE}), NOW))
    client = make_client(tokens=file)
    assert client.get("/read", headers=reader).status_code == client.post("/operate", headers=operator).status_code
    status, message = error_of(client.get("/operate", headers=reader))
    assert (status, "'reader'" in message, "--scope operate" in message) == (403, True, True)
    status, message = error_of(client.get("/read", headers=operator))
    assert (status, "--scope read" in message) == (403, True)


@pytest.mark.parametrize("path", ["/read", "/operate", "/openapi.json", "/nowhere", "/undeclared"])
@pytest.mark.parametrize(
    "header",
    [{}, bearer("driftline_wrong"), basic("driftline_wrong"), bearer(""), {"Authorization": "Basic ?"},
     {"Authorization": "Digest username=a"}, {"Authorization": "Bearer a=b"}, {"Authorization": "ÿ"}],
)  # fmt: skip
def test_without_a_valid_token_nothing_is_revealed(
    guarded_client: FlaskClient, path: str, header: dict[str, str]
) -> None:
    answer = guarded_client.get(path, headers=header)
    status, message = error_of(answer)
    assert status == HTTPStatus.UNAUTHORIZED
    assert "driftline token create" in message if header else "Authorization: Bearer" in message
    schemes = answer.headers.getlist("WWW-Authenticate")
    assert [scheme.split()[0] for scheme in schemes] == ["Bearer", "Basic"]
    assert ("invalid_token" in schemes[0]) == bool(header)


def test_the_probes_need_no_token(make_client: MakeClient, file: Path) -> None:
    tokens.create(file, "reader", frozenset(Scope), NOW)
    client = make_client(tokens=file, rate_limit="1/hour")
    assert [client.get(path).status_code for path in ("/healthz", "/readyz") * 3] == [200] * 6


def test_revocation_and_expiry_apply_without_a_restart(make_client: MakeClient, file: Path) -> None:
    now = [datetime.now(UTC)]
    expiring = bearer(tokens.create(file, "expiring", frozenset(Scope), now[0], timedelta(days=1)))
    other = bearer(tokens.create(file, "other", frozenset(Scope), now[0]))
    client = make_client(tokens=file, clock=lambda: now[0])
    assert client.get("/read", headers=expiring).status_code == client.get("/read", headers=other).status_code == 200
    tokens.revoke(file, "other")
    assert client.get("/read", headers=other).status_code == HTTPStatus.UNAUTHORIZED
    now[0] += timedelta(days=1)
    assert client.get("/read", headers=expiring).status_code == HTTPStatus.UNAUTHORIZED


def test_a_route_without_a_scope_serves_nobody(make_client: MakeClient, file: Path) -> None:
    token = tokens.create(file, "all", frozenset(Scope), NOW)
    for client in (make_client(), make_client(tokens=file)):
        answer = client.get("/undeclared", headers=bearer(token))
        assert answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
        assert "shown" not in answer.text


@pytest.mark.parametrize("name", ["localhost", "localhost:5000", "127.0.0.1:5000", "[::1]:5000", "LOCALHOST"])
def test_without_tokens_loopback_names_are_accepted(open_client: FlaskClient, name: str) -> None:
    assert open_client.get("/read", headers={"Host": name}).status_code == HTTPStatus.OK


@pytest.mark.parametrize("name", ["evil.example", "evil.example:5000", "10.0.0.1", "localhost.evil.example", "[::1"])
@pytest.mark.parametrize("path", ["/read", "/operate", "/nowhere"])
def test_without_tokens_other_host_names_are_refused(open_client: FlaskClient, name: str, path: str) -> None:
    assert open_client.get(path, headers={"Host": name}).status_code in (400, 403)


def test_probes_and_requests_with_a_token_may_use_other_host_names(
    open_client: FlaskClient, make_client: MakeClient, token: tuple[Path, str]
) -> None:
    assert open_client.get("/healthz", headers={"Host": "10.0.0.1"}).status_code == HTTPStatus.OK
    file, secret = token
    named = {**bearer(secret), "Host": "monitor.example"}
    assert make_client("0.0.0.0", tokens=file).get("/read", headers=named).status_code == HTTPStatus.OK  # noqa: S104


CROSS_SITE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://localhost:8000"},
    {"Origin": "null"},
    {"Origin": "http://["},
]
SAME_SITE: list[dict[str, str]] = [
    {},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "same-origin"},
    {"Origin": "http://localhost"},
]


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("header", CROSS_SITE)
def test_a_page_of_another_site_changes_nothing(
    open_client: FlaskClient,
    guarded_client: FlaskClient,
    token: tuple[Path, str],
    method: str,
    header: dict[str, str],
) -> None:
    assert error_of(open_client.open("/operate", method=method, headers=header))[0] == HTTPStatus.FORBIDDEN
    login = header | basic(token[1])
    assert error_of(guarded_client.open("/operate", method=method, headers=login))[0] == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("header", SAME_SITE)
def test_own_pages_and_other_clients_are_accepted(open_client: FlaskClient, header: dict[str, str]) -> None:
    assert open_client.post("/operate", headers=header).status_code == HTTPStatus.OK
    assert open_client.get("/read", headers={"Sec-Fetch-Site": "cross-site"}).status_code == HTTPStatus.OK


def test_a_large_body_is_refused(make_client: MakeClient) -> None:
    client = make_client(max_body=1000)
    assert client.post("/operate", data=b"x" * 1000).json == {"bytes": 1000}
    status, message = error_of(client.post("/operate", data=b"x" * 1001))
    assert (status, "DRIFTLINE_MAX_BODY" in message) == (413, True)
    unsized: dict[str, Any] = {"environ_overrides": {"wsgi.input_terminated": True}}
    assert client.post("/operate", input_stream=BytesIO(b"x" * 1000), **unsized).json == {"bytes": 1000}
    status, message = error_of(client.post("/operate", input_stream=BytesIO(b"x" * 1001), **unsized))
    assert (status, "DRIFTLINE_MAX_BODY" in message) == (413, True)


def test_too_many_requests_are_refused_by_token_or_address(make_client: MakeClient, file: Path) -> None:
    first, second = (bearer(tokens.create(file, name, frozenset(Scope), NOW)) for name in ("first", "second"))
    client = make_client(tokens=file, rate_limit="2/hour")
    assert [client.get("/read", headers=first).status_code for _ in range(3)] == [200, 200, 429]
    answer = client.get("/read", headers=first)
    assert "Retry-After" in error_of(answer)[1]
    assert 1 <= int(answer.headers["Retry-After"]) <= 3600
    assert client.get("/read", headers=second).status_code == HTTPStatus.OK
    assert [client.get("/nowhere", headers=bearer("wrong")).status_code for _ in range(3)] == [401, 401, 429]
    other_address = {"REMOTE_ADDR": "10.0.0.9"}
    assert client.get("/read", environ_overrides=other_address).status_code == HTTPStatus.UNAUTHORIZED


def test_the_limit_can_be_off(make_client: MakeClient) -> None:
    client = make_client(rate_limit="off")
    assert {client.get("/read").status_code for _ in range(100)} == {200}


@pytest.mark.parametrize("rate", ["", "often", "0/minute", "10/day", "10 / minute", "10/minute; 3/second"])
def test_an_invalid_rate_is_refused(rate: str) -> None:
    with pytest.raises(InvalidInput, match="DRIFTLINE_RATE_LIMIT: "):
        AccessSettings(rate_limit=rate)


def test_the_log_names_the_token_and_never_contains_it(
    make_client: MakeClient, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    token = tokens.create(file, "reader", frozenset({Scope.READ}), NOW)
    client = make_client(tokens=file)
    with caplog.at_level(logging.DEBUG):
        client.get("/read", headers=bearer(token))
        client.get("/operate", headers=basic(token))
        client.get("/read", headers=bearer("driftline_wrong"))
    logged = [record.getMessage().rpartition(" in ")[0] for record in caplog.records]
    assert logged == ["GET /read by reader 200", "GET /operate by reader 403", "GET /read from 127.0.0.1 401"]
    assert "driftline_" not in caplog.text


def test_the_description_has_scopes_and_refusals(make_client: MakeClient, file: Path) -> None:
    document: Any = make_client().get("/openapi.json").json
    assert {
        (name, scheme["type"], scheme["scheme"]) for name, scheme in document["components"]["securitySchemes"].items()
    } == {
        ("bearer", "http", "bearer"),
        ("basic", "http", "basic"),
    }
    paths = document["paths"]
    assert paths["/read"]["get"]["security"] == [{}, {"bearer": ["read"]}, {"basic": ["read"]}]
    assert paths["/operate"]["post"]["security"] == [{}, {"bearer": ["operate"]}, {"basic": ["operate"]}]
    assert paths["/healthz"]["get"]["security"] == []
    assert {"401", "403", "413", "429"} <= {*paths["/operate"]["get"]["responses"]}
    token = tokens.create(file, "all", frozenset(Scope), NOW)
    closed: Any = make_client(tokens=file).get("/openapi.json", headers=bearer(token)).json
    assert closed["paths"]["/read"]["get"]["security"] == [{"bearer": ["read"]}, {"basic": ["read"]}]


@pytest.mark.parametrize("scheme", ["Digest x, password={}", "Digest password={}", "Token {}", "Negotiate {}"])
def test_other_schemes_than_bearer_and_basic_are_refused(make_client: MakeClient, file: Path, scheme: str) -> None:
    token = tokens.create(file, "reader", frozenset({Scope.READ}), NOW)
    client = make_client(tokens=file)
    assert client.get("/read", headers=bearer(token)).status_code == 200
    assert client.get("/read", headers={"Authorization": scheme.format(token)}).status_code == 401
