"""Access to a web service: tokens with scopes, a rate limit, and loopback only where there are no tokens."""

import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlsplit

from apiflask import APIFlask
from flask import Request, g, request

from driftline.clock import Clock, utc_now
from driftline.errors import DriftlineError, InvalidInput
from driftline.http.authorization.scopes import Scope
from driftline.http.authorization.tokens import Token, TokenFile
from driftline.http.rate_limit import RateLimit
from driftline.settings import AccessSettings

PROBES = frozenset({"/healthz", "/readyz"})
"""Paths that need no token and do not count towards the rate limit."""
BUILT_IN_SCOPES = {"static": Scope.READ, "openapi.spec": Scope.READ}
"""The scopes of the endpoints that Flask and APIFlask add."""
WRITE_SCOPES = frozenset({Scope.INGEST, Scope.PREDICT, Scope.OPERATE, Scope.ADMIN})
BATCH_TOO_LARGE = "The batch is too large; send fewer rows per request, or raise DRIFTLINE_MAX_INGEST_BODY."
REALM = 'realm="driftline"'

View = TypeVar("View", bound=Callable[..., object])


class Refusal(DriftlineError):
    """The request was refused before its view ran; the message says what to do."""

    def __init__(self, message: str | None = None, headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Store the headers to send with the response."""
        super().__init__(message)
        self.headers = headers


class Unauthorized(Refusal):
    """A token is required; send it as `Authorization: Bearer <token>`, or as the password in a browser."""

    status = HTTPStatus.UNAUTHORIZED


class Forbidden(Refusal):
    """This request is not allowed; the message says which request would be."""

    status = HTTPStatus.FORBIDDEN


class RequestTooLarge(Refusal):
    """The request body is too large; send less per request, or raise DRIFTLINE_MAX_BODY."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class TooManyRequests(Refusal):
    """Too many requests; wait for the seconds in Retry-After, or raise DRIFTLINE_RATE_LIMIT."""

    status = HTTPStatus.TOO_MANY_REQUESTS


REFUSALS = (Unauthorized, Forbidden, RequestTooLarge, TooManyRequests)
"""The refusals that every route can answer with; each docstring is the default message."""


def needs(scope: Scope) -> Callable[[View], View]:
    """Declare the scope that a view requires; every view except the probes must declare one."""

    def declare(view: View) -> View:
        view.scope = scope  # type: ignore[attr-defined]
        return view

    return declare


def accepts_batches(view: View) -> View:
    """Declare that a view takes batches of rows: its body may have up to DRIFTLINE_MAX_INGEST_BODY bytes."""
    view.accepts_batches = True  # type: ignore[attr-defined]
    return view


def scope_of(app: APIFlask, endpoint: str) -> Scope | None:
    """Return the scope that an endpoint declares; None means that nobody may use it."""
    view = app.view_functions[endpoint]
    scope = getattr(view, "scope", BUILT_IN_SCOPES.get(endpoint))
    return scope if isinstance(scope, Scope) else None


@dataclass(frozen=True)
class AccessRules:
    """Which requests a service accepts; without `tokens`, those for loopback's names."""

    tokens: TokenFile | None
    limit: RateLimit | None
    max_body: int

    def require_size(self, request: Request) -> None:
        """Refuse a request that says that its body is too large.

        Raises:
            RequestTooLarge: it does.
        """
        if (request.content_length or 0) > self.max_body:
            raise RequestTooLarge

    def find_token(self, request: Request) -> Token | None:
        """Return the valid token of a request."""
        return self.tokens.find(_submitted_token(request)) if self.tokens else None

    def require_client(self, request: Request, token: Token | None) -> None:
        """Refuse a request unless its client's rate, token and host name are all acceptable.

        Raises:
            TooManyRequests, Unauthorized, Forbidden: one of them is not.
        """
        _apply_rate_limit(self.limit, f"token {token.name}" if token else f"address {request.remote_addr}")
        if self.tokens is None:
            _require_loopback_name(request)
        elif token is None:
            raise _unauthorized(request)


def guard(app: APIFlask, host: str, settings: AccessSettings, clock: Clock = utc_now) -> AccessRules:
    """Require a token for every request except the probes; without a token file, serve loopback only.

    Return the rules, for requests that are answered without the app.

    Raises:
        InvalidInput: the service would listen beyond loopback without tokens, or the token file is invalid.
    """
    if settings.tokens is None and not is_loopback(host):
        raise InvalidInput(
            f"Listening on {host} requires tokens: set DRIFTLINE_TOKENS to a file made by `driftline token create`, "
            "or listen on 127.0.0.1."
        )
    tokens = TokenFile(settings.tokens, clock) if settings.tokens else None
    limit = None if settings.rate_limit == "off" else RateLimit(settings.rate_limit, time.monotonic)
    rules = AccessRules(tokens, limit, settings.max_body)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body
    app.extensions["open"] = tokens is None

    def check() -> None:
        """Refuse a request that is too large, comes too often, or has no token of the scope that its route needs."""
        if getattr(app.view_functions.get(request.endpoint or ""), "accepts_batches", False):
            request.max_content_length = settings.max_ingest_body
            if (request.content_length or 0) > settings.max_ingest_body:
                raise RequestTooLarge(BATCH_TOO_LARGE)
        else:
            rules.require_size(request)
        if request.path not in PROBES:
            token = rules.find_token(request)
            g.caller = token.name if token else None
            rules.require_client(request, token)
            if request.endpoint is not None:
                require_scope(request, token, scope_of(app, request.endpoint))

    app.before_request(check)
    return rules


@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine's loopback."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _submitted_token(request: Request) -> str:
    """Return the bearer token or, from a browser's login (Basic), the password; empty without either."""
    authorization = request.authorization
    if authorization is None or authorization.type not in {"bearer", "basic"}:
        return ""
    return (authorization.token if authorization.type == "bearer" else authorization.password) or ""


def _apply_rate_limit(limit: RateLimit | None, client: str) -> None:
    seconds = limit.seconds_to_wait(client) if limit else None
    if seconds is not None:
        raise TooManyRequests(headers=(("Retry-After", str(seconds)),))


def _unauthorized(request: Request) -> Unauthorized:
    rejected = "Authorization" in request.headers
    message = (
        "The token is unknown, revoked or expired; create a new one with `driftline token create`."
        if rejected
        else None
    )
    bearer = f'Bearer {REALM}, error="invalid_token"' if rejected else f"Bearer {REALM}"
    challenges = (("WWW-Authenticate", bearer), ("WWW-Authenticate", f'Basic {REALM}, charset="UTF-8"'))
    return Unauthorized(message, challenges)


def require_scope(request: Request, token: Token | None, scope: Scope | None) -> None:
    """Refuse a token without the scope, and a cross-site request that would change something.

    Raises:
        Forbidden: the request is refused. LookupError: its route declares no scope.
    """
    if scope is None:
        raise LookupError(f"{request.endpoint} declares no scope")
    if token and scope not in token.scopes:
        scopes = ", ".join(sorted(token.scopes))
        raise Forbidden(
            f"The token {token.name!r} has the scopes {scopes}; this route needs a token created with "
            f"`--scope {scope}`.",
            (("WWW-Authenticate", f'Bearer {REALM}, error="insufficient_scope", scope="{scope}"'),),
        )
    if scope in WRITE_SCOPES:
        require_same_origin(request)


def _require_loopback_name(request: Request) -> None:
    """Refuse any host name but loopback's: a foreign page may resolve its own name to 127.0.0.1 (DNS rebinding)."""
    if not is_loopback(_url_part("hostname", f"//{request.host}")):
        raise Forbidden(
            "Without tokens this service accepts requests for localhost or 127.0.0.1 only; use one of them, "
            "or set DRIFTLINE_TOKENS."
        )


def require_same_origin(request: Request) -> None:
    """Refuse requests that another site's page makes a browser send with the stored login (CSRF)."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    same = site in ("same-origin", "none") if site else origin is None or _url_part("netloc", origin) == request.host
    if not same:
        raise Forbidden(
            "The request comes from a page of another site; use this service's own pages, or a client other than "
            "a browser."
        )


def _url_part(name: str, url: str) -> str:
    """Return a part of a URL; empty where the URL has no such part or is invalid."""
    try:
        return getattr(urlsplit(url), name) or ""
    except ValueError:
        return ""
