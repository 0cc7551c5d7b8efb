"""A brief request has the answer, the log and the count that the same request has through Flask."""

import asyncio
import base64
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.artifacts.inputs import Inputs
from driftline.artifacts.output_rule import OutputRule, Scored
from driftline.engine.catalogue import Problem
from driftline.http.authorization import tokens
from driftline.http.authorization.scopes import Scope as TokenScope
from driftline.http.metrics import ServiceMetrics
from driftline.settings import AccessSettings, DatabaseSettings, LocalSettings
from serving.app import Serving, create_app
from serving.models.served_version import ServedVersion
from serving.prediction_log import PredictionLog
from serving.settings import ServingSettings
from serving.web.asgi import AsgiApp, Message, WholeRequests, WholeResponse

INPUTS = Inputs(("a", "b", "carrier"), {"carrier": {"AA": 0, "UA": 1}})
UNLUCKY = 13.0
"""A value of `a` at which scoring fails, as it never should."""
GOOD = {"features": {"a": 1.5, "b": None, "carrier": "AA"}}
NOW = datetime.now(UTC)
SECONDS = re.compile(r" in \d+ ms$")


def score(rows: list[Mapping[str, Any]], rule: OutputRule) -> list[Scored]:
    """Return scores that depend on every value."""
    matrix = INPUTS.matrix(rows)
    if (matrix[:, 0] == UNLUCKY).any():
        raise ZeroDivisionError
    share = 1 / (1 + np.exp(-np.clip(np.nan_to_num(matrix, nan=0.5), -9, 9).sum(axis=1)))
    return rule.read(np.column_stack([1 - share, share]))


def version(name: str, rule: OutputRule, *, needs_times: bool = False) -> ServedVersion:
    scorer = SimpleNamespace(score=lambda rows: score(rows, rule))
    fields = {"name": name, "number": 3, "features": INPUTS.features, "needs_times": needs_times, "scorer": scorer}
    return cast("ServedVersion", SimpleNamespace(**fields))


VERSIONS = {
    "churn": version("churn", OutputRule(Problem.BINARY, threshold=0.4)),
    "classes": version("classes", OutputRule(Problem.MULTICLASS, ("yes", "no"))),
    "price": version("price", OutputRule(Problem.REGRESSION)),
    "timed": version("timed", OutputRule(Problem.BINARY), needs_times=True),
}


@dataclass(frozen=True)
class SentRequest:
    """A request as the server passes it to the app."""

    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ((b"host", b"127.0.0.1:5002"),)
    method: str = "POST"
    path: str = "/predict"
    is_chunked: bool = False
    length: int | None = None
    """What the header says about the body's length, where that is not true."""

    def scope(self) -> dict[str, Any]:
        """Return the request as a server passes it to an ASGI application."""
        length = (b"content-length", b"%d" % (self.length or len(self.body)))
        return {
            "type": "http",
            "http_version": "1.1",
            "method": self.method,
            "path": self.path,
            "query_string": b"model=classes",
            "headers": [*self.headers, (b"transfer-encoding", b"chunked") if self.is_chunked else length],
            "server": ("127.0.0.1", 5002),
            "client": ("127.0.0.1", 40_000),
            "scheme": "http",
            "root_path": "",
        }


class Lines(logging.Handler):
    """Keeps the lines of the log, without their times."""

    def __init__(self, events: list[Any]) -> None:
        """Add lines to some events."""
        super().__init__()
        self._events = events

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self._events.append((record.levelname, SECONDS.sub("", record.getMessage())))


def answer_to(app: AsgiApp, sent: SentRequest) -> WholeResponse:
    """Send a request to an app, its body in two parts."""
    parts, messages = [sent.body[:10], sent.body[10:]], list[Message]()

    async def receive() -> Message:
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: Message) -> None:
        messages.append(message)

    async def answer() -> None:
        await app(sent.scope(), receive, send)

    asyncio.run(answer())
    start, body = messages
    return WholeResponse(start["status"], start["headers"], body["body"])


@dataclass(frozen=True)
class BriefWorld:
    """Two equal services: one answers what is brief itself, the app `flask` everything through Flask.

    `events` are the lines of the log, the counts of requests and the logged rows since the last request.
    """

    brief: Serving
    flask: AsgiApp
    events: list[Any]

    def require_equal(self, requests: list[SentRequest]) -> None:
        """Send each request to both."""
        for sent in requests:
            assert self._outcome(self.brief.asgi, sent) == self._outcome(self.flask, sent), sent

    def _outcome(self, app: AsgiApp, sent: SentRequest) -> tuple[Any, ...]:
        """Return all that must be equal: a wait for the next hour may differ by the second."""
        self.events.clear()
        answer = answer_to(app, sent)
        headers = sorted((name, b"" if name == b"retry-after" else value) for name, value in answer.headers)
        return answer.status, headers, answer.body, [*self.events]


MakeWorld = Callable[[AccessSettings], BriefWorld]


@pytest.fixture(scope="module", name="make_world")
def _make_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeWorld]:
    """Makes two services whose models are loaded; they connect to nothing, and write no row."""
    events: list[Any] = []

    def add(_: object, served: ServedVersion, row_id: str | None, at: datetime | None, row: Any, scored: Scored) -> str:
        events.append((served.name, row_id, at, repr(row), scored))
        return row_id or "new"

    def count(_: object, method: str, route: str, status: int, seconds: float | None) -> None:
        events.append((method, route, int(status), seconds is not None))

    def service(access: AccessSettings) -> Serving:
        database = DatabaseSettings.model_validate({"host": "127.0.0.1", "port": 9, "user": "u", "password": "p"})
        local = LocalSettings(var=tmp_path_factory.mktemp("var"))
        made = create_app(ServingSettings(model="churn"), database, access, local)
        made.predictor.models._current.update(VERSIONS)
        return made

    def make(access: AccessSettings) -> BriefWorld:
        flask = WholeRequests(service(access).flask.wsgi_app, access.max_body, lambda environ, body: None)
        return BriefWorld(service(access), flask, events)

    handler, log = Lines(events), logging.getLogger("driftline.http")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PredictionLog, "add", add)
        patch.setattr(ServiceMetrics, "count", count)
        log.addHandler(handler)
        level = log.level
        log.setLevel(logging.DEBUG)  # unlike the attribute, it makes the loggers below forget which levels were on
        yield make
        log.setLevel(level)
        log.removeHandler(handler)


@pytest.fixture(scope="module", name="open_world")
def _open_world(make_world: MakeWorld) -> BriefWorld:
    """Two services for loopback only."""
    return make_world(AccessSettings(rate_limit="off"))


@pytest.fixture(scope="module", name="authorizations")
def _authorizations(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A token file, and headers with its tokens."""
    file = tmp_path_factory.mktemp("tokens") / "tokens.json"

    def token(name: str, scope: TokenScope, days: int) -> str:
        return tokens.create(file, name, frozenset({scope}), NOW, timedelta(days=days))

    good, other, expired = (
        token("anna", TokenScope.PREDICT, 1),
        token("ben", TokenScope.READ, 1),
        token("old", TokenScope.PREDICT, -1),
    )
    login = base64.b64encode(f"any:{good}".encode()).decode()
    headers = {"good": f"Bearer {good}", "small": f"bearer {good}", "login": f"Basic {login}"}
    wrong = {"other": f"Bearer {other}", "expired": f"Bearer {expired}", "unknown": "Bearer x", "broken": "Basic %%"}
    return file, headers | wrong | {"empty": "", "digest": 'Digest username="anna"'}


@pytest.fixture(scope="module", name="closed_world")
def _closed_world(make_world: MakeWorld, authorizations: tuple[Path, dict[str, str]]) -> BriefWorld:
    """Two services that ask for tokens."""
    return make_world(AccessSettings(tokens=authorizations[0], rate_limit="off", max_body=2_000))


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(),
    st.integers(-(10**19), 10**19),
    st.sampled_from([UNLUCKY, "AA", "elsewhere", "\ud800", [1], {"x": 1}]),
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "model": st.sampled_from([*VERSIONS, "", None, 7]),
        "id": st.sampled_from(["row-1", "", "x" * 129, 7, None, "ä\n"]),
        "at": st.sampled_from(["2026-02-03T10:00:00Z", "2026-02-03T10:00:00+05:30", "2026-02-03T10:00", "today", 7]),
        "log": st.sampled_from([True, False, "yes", 0, None]),
        "colour": st.just(1),
    },
)
GOOD_FEATURES = st.fixed_dictionaries(
    {"a": st.floats() | st.integers(-9, 9), "b": st.none() | st.floats(-9, 9), "carrier": st.sampled_from(["AA", "UA"])}
)
ANY_FEATURES = st.dictionaries(st.sampled_from([*INPUTS.features, "weather"]), VALUES, max_size=4)
BODIES = st.builds(lambda fields, features: fields | {"features": features}, FIELDS, GOOD_FEATURES | ANY_FEATURES)
ENCODED = st.builds(
    lambda body, encoding: json.dumps(body).encode(encoding), BODIES, st.sampled_from(["utf-8", "utf-16"])
)
RAW = st.sampled_from(
    [b"", b"{", b"[]", b"null", b'{"features": 7}', b'{"features": {}, "features": {"a": 1}}', b"\xff"]
)
HOSTS = st.sampled_from([b"127.0.0.1:5002", b"LOCALHOST", b"[::1]:80", b"evil.example", b"", b"a b", b"127.0.0.1:x"])
ORIGINS = st.lists(
    st.sampled_from(
        [
            (b"origin", b"http://127.0.0.1:5002"),
            (b"origin", b"https://evil.example"),
            (b"origin", b"http://["),
            (b"sec-fetch-site", b"same-origin"),
            (b"sec-fetch-site", b"cross-site"),
            (b"content-type", b"text/plain"),
            (b"content-encoding", b"gzip"),
            (b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ]
    ),
    max_size=3,
)


def sent(body: bytes, host: bytes, headers: list[tuple[bytes, bytes]], chunked: bool) -> SentRequest:
    return SentRequest(body, ((b"host", host), *headers), is_chunked=chunked)


@given(requests=st.lists(st.builds(sent, ENCODED | RAW, st.just(b"localhost"), ORIGINS, st.booleans()), min_size=1))
def test_bodies_good_and_bad_have_the_answer_of_flask(open_world: BriefWorld, requests: list[SentRequest]) -> None:
    open_world.require_equal(requests)


@given(host=HOSTS, headers=ORIGINS)
def test_hosts_and_origins_have_the_answer_of_flask(
    open_world: BriefWorld, host: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    open_world.require_equal([sent(json.dumps(GOOD).encode(), host, headers, chunked=False)])


@given(names=st.lists(st.integers(0, 8), min_size=1, max_size=2), size=st.sampled_from([0, 3_000]), headers=ORIGINS)
def test_tokens_and_sizes_have_the_answer_of_flask(
    closed_world: BriefWorld,
    authorizations: tuple[Path, dict[str, str]],
    names: list[int],
    size: int,
    headers: list[tuple[bytes, bytes]],
) -> None:
    values = [*authorizations[1].values()]
    tokens_sent = [(b"authorization", values[number].encode()) for number in names]
    body = json.dumps(GOOD).encode() + b" " * size
    closed_world.require_equal([sent(body, b"example.org", [*tokens_sent, *headers], chunked=False)])


def test_a_length_that_is_too_large_has_the_answer_of_flask(closed_world: BriefWorld) -> None:
    closed_world.require_equal([SentRequest(json.dumps(GOOD).encode(), length=3_000)])


def test_the_rate_has_the_answer_of_flask(make_world: MakeWorld) -> None:
    requests = [
        SentRequest(json.dumps(GOOD).encode()),
        SentRequest(b"{}"),
        SentRequest(json.dumps({"features": 7}).encode()),
    ]
    make_world(AccessSettings(rate_limit="3/hour")).require_equal(requests * 2)


@pytest.mark.parametrize(("method", "path"), [("GET", "/predict"), ("HEAD", "/predict"), ("POST", "/predict/")])
def test_other_routes_are_flasks(open_world: BriefWorld, method: str, path: str) -> None:
    open_world.require_equal([SentRequest(json.dumps(GOOD).encode(), method=method, path=path)])


def test_only_what_is_not_brief_reaches_flask(open_world: BriefWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the laws above would compare Flask with itself."""

    def refuse(*_: object) -> Any:
        raise AssertionError("the request reached Flask")

    service = open_world.brief
    monkeypatch.setattr(service.flask, "request_context", refuse)
    open_world.events.clear()
    answer = answer_to(service.asgi, SentRequest(json.dumps(GOOD).encode()))
    assert (answer.status, json.loads(answer.body)["version"]) == (200, 3)
    row, counted, line = open_world.events
    assert (row[0], counted, line) == (
        "churn",
        ("POST", "/predict", 200, True),
        ("INFO", "POST /predict from 127.0.0.1 200"),
    )
    with pytest.raises(AssertionError, match="the request reached Flask"):
        answer_to(service.asgi, SentRequest(json.dumps({"rows": [GOOD]}).encode()))
