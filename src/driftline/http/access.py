"""Who may ask a web service for what, and how often: tokens with scopes; without them, this machine's clients only."""

import ipaddress
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlsplit

from apiflask import APIFlask
from flask import current_app, g, request

from driftline.clock import Clock, utc_now
from driftline.errors import DriftlineError, InvalidInput
from driftline.http.rate_limit import RateLimit
from driftline.http.scopes import Scope
from driftline.http.tokens import Token, TokenFile
from driftline.settings import AccessSettings

PROBES = frozenset({"/healthz", "/readyz"})
"""Paths that need no token and are not counted."""
BUILT_IN = {"static": Scope.READ, "openapi.spec": Scope.READ}
"""The scopes of the endpoints that Flask and APIFlask bring."""
CHANGING = frozenset({Scope.INGEST, Scope.OPERATE})
REALM = 'realm="driftline"'

View = TypeVar("View", bound=Callable[..., object])


class Refusal(DriftlineError):
    """The request is refused before it is looked at; its message says what to do."""

    def __init__(self, message: str | None = None, headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Take the headers that go with the answer."""
        super().__init__(message)
        self.headers = headers


class Unauthorized(Refusal):
    """A token is needed; send it as `Authorization: Bearer <token>`, in a browser as the password."""

    status = HTTPStatus.UNAUTHORIZED


class Forbidden(Refusal):
    """This request is not allowed; its message says what would be."""

    status = HTTPStatus.FORBIDDEN


class RequestTooLarge(Refusal):
    """The request has too many bytes; send less at once, or raise DRIFTLINE_MAX_BODY."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class TooManyRequests(Refusal):
    """Too many requests; wait as long as Retry-After says, or raise DRIFTLINE_RATE_LIMIT."""

    status = HTTPStatus.TOO_MANY_REQUESTS


REFUSALS = (Unauthorized, Forbidden, RequestTooLarge, TooManyRequests)
"""How every route may refuse; the docstring of each says what to do."""


def needs(scope: Scope) -> Callable[[View], View]:
    """Declare the scope that a view needs; every view but the probes must."""

    def declare(view: View) -> View:
        view.scope = scope  # type: ignore[attr-defined]
        return view

    return declare


def scope_of(app: APIFlask, endpoint: str) -> Scope | None:
    """Give the scope that an endpoint declares, or None where it declares none: then nobody may use it."""
    view = app.view_functions[endpoint]
    scope = getattr(view, "scope", BUILT_IN.get(endpoint))
    return scope if isinstance(scope, Scope) else None


def guard(app: APIFlask, host: str, settings: AccessSettings, clock: Clock = utc_now) -> None:
    """Ask every request but the probes for a token, where there is a file of them; else serve this machine only.

    Raises:
        InvalidInput: the service would listen beyond loopback without tokens, or their file is broken.
    """
    if settings.tokens is None and not is_loopback(host):
        raise InvalidInput(
            f"Listening on {host} needs tokens: set DRIFTLINE_TOKENS to a file that `driftline token create` made, "
            "or listen on 127.0.0.1."
        )
    tokens = TokenFile(settings.tokens, clock) if settings.tokens else None
    limit = None if settings.rate_limit == "off" else RateLimit(settings.rate_limit, time.monotonic)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body
    app.extensions["open"] = tokens is None

    def check() -> None:
        if (request.content_length or 0) > settings.max_body:
            raise RequestTooLarge
        if request.path not in PROBES:
            _admit(tokens, limit)

    app.before_request(check)


def is_loopback(host: str) -> bool:
    """Whether a host, by name or address, is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _admit(tokens: TokenFile | None, limit: RateLimit | None) -> None:
    token = tokens.find(_sent()) if tokens else None
    g.caller = token.name if token else None
    _count(limit, f"token {token.name}" if token else f"address {request.remote_addr}")
    if tokens is None:
        _require_own_name()
    elif token is None:
        raise _unauthorized()
    if request.endpoint is not None:
        _require_scope(token, scope_of(current_app, request.endpoint))


def _sent() -> str:
    """Give what was sent as a token: the bearer's, or the password of a browser's login."""
    sent = request.authorization
    if sent is None:
        return ""
    return (sent.token if sent.type == "bearer" else sent.password) or ""


def _count(limit: RateLimit | None, client: str) -> None:
    wait = limit.wait(client) if limit else None
    if wait is not None:
        raise TooManyRequests(headers=(("Retry-After", str(wait)),))


def _unauthorized() -> Unauthorized:
    failed = "Authorization" in request.headers
    message = "This token is unknown, revoked or expired; `driftline token create` makes another." if failed else None
    bearer = f'Bearer {REALM}, error="invalid_token"' if failed else f"Bearer {REALM}"
    asked = (("WWW-Authenticate", bearer), ("WWW-Authenticate", f'Basic {REALM}, charset="UTF-8"'))
    return Unauthorized(message, asked)


def _require_scope(token: Token | None, scope: Scope | None) -> None:
    if scope is None:
        raise LookupError(f"{request.endpoint} declares no scope")
    if token and scope not in token.scopes:
        has = ", ".join(sorted(token.scopes))
        raise Forbidden(
            f"The token {token.name!r} is for {has}; this needs one made with `--scope {scope}`.",
            (("WWW-Authenticate", f'Bearer {REALM}, error="insufficient_scope", scope="{scope}"'),),
        )
    if scope in CHANGING:
        _require_own_page()


def _require_own_name() -> None:
    """Refuse a request by any name but this machine's own: a foreign page may have made its name point here."""
    if not is_loopback(_host_name()):
        raise Forbidden(
            "Without tokens this service answers only as localhost or 127.0.0.1: ask it so, or set DRIFTLINE_TOKENS."
        )


def _host_name() -> str:
    return _part("hostname", f"//{request.host}")


def _require_own_page() -> None:
    """Refuse what another site's page makes a browser send: the browser would add the login by itself."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    ours = site in ("same-origin", "none") if site else origin is None or _part("netloc", origin) == request.host
    if not ours:
        raise Forbidden("A page of another site asks for this; use the service's own pages, or ask without a browser.")


def _part(name: str, address: str) -> str:
    """Give a part of an address, empty where it has none or is no address."""
    try:
        return getattr(urlsplit(address), name) or ""
    except ValueError:
        return ""
