"""Keeps outgoing connections away from internal addresses, and sends HTTP requests without redirections.

The address that a socket is about to connect to is checked, not a name: a name that resolves to something else a moment
later (DNS rebinding), a redirection or a proxy leads to no other address. It holds for every library that connects
through Python's sockets, in the threads that run with a copy of the caller's context too.
"""

import ipaddress
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from http import HTTPStatus
from typing import Any

import urllib3

from driftline.errors import DriftlineError

SECONDS = 15.0
"""How long a server may take to accept a connection, and then for each part of its answer."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_REFUSED: ContextVar[list[str] | None] = ContextVar("refused", default=None)
"""The internal addresses that were refused in this context; None where nothing is checked."""
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class DeliveryFailed(DriftlineError):
    """The channel did not take the message; its server or its secret is the cause."""

    status = HTTPStatus.BAD_GATEWAY


@contextmanager
def public_addresses_only(*, except_internal: bool) -> Iterator[None]:
    """Refuse connections to addresses that are not public in this context, unless `except_internal`.

    Raises:
        DeliveryFailed: a connection was refused, and none was made after it, even if the library hides the error.
    """
    _install()
    refused: list[str] = []
    token = _REFUSED.set(None if except_internal else refused)
    try:
        yield
    except Exception:
        if refused:
            raise DeliveryFailed(_refusal(refused[0])) from None
        raise
    finally:
        _REFUSED.reset(token)
    if refused:
        raise DeliveryFailed(_refusal(refused[0]))


def _refusal(host: str) -> str:
    return (
        f"The channel's host has the internal address {host}, which channels may not reach; correct its URL, or set "
        "`allow_internal: true` for this channel."
    )


def is_internal(host: str) -> bool:
    """Return whether an address is not one of the public internet; what is not an address counts as internal."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return True
    return not all(inner.is_global and not inner.is_multicast for inner in _embedded(address))


def _embedded(address: _Address) -> Iterator[_Address]:
    """Yield an address, and the IPv4 addresses that it stands for."""
    yield address
    if isinstance(address, ipaddress.IPv6Address):
        yield from (inner for inner in (address.ipv4_mapped, address.sixtofour) if inner)
        yield from address.teredo or ()
        if address in _NAT64:
            yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


@cache
def _install() -> None:
    """Have each connection of this process checked; it cannot be undone, and costs nothing where nothing is checked."""
    sys.addaudithook(_check)


def _check(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        return
    refused = _REFUSED.get()
    if refused is None:
        return
    address = arguments[1]
    host = str(address[0] if isinstance(address, tuple) else address)
    if refused or is_internal(host):
        refused.append(host)
        raise PermissionError(f"{host} is an internal address")


def post(url: str, body: bytes, headers: Mapping[str, str], *, allow_internal: bool) -> None:
    """Send a POST request, directly and once; any status but 2xx is a failure, a redirection too.

    Raises:
        DeliveryFailed: says what the server answered, or why there was no answer; never the URL, which may be secret.
    """
    pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=SECONDS, read=SECONDS), retries=False)
    try:
        with public_addresses_only(except_internal=allow_internal):
            answer = pool.request("POST", url, body=body, headers=dict(headers), redirect=False, preload_content=False)
            answer.close()
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise DeliveryFailed(
            f"The channel's server did not answer ({_cause(error)}); check its URL, and the network."
        ) from None
    finally:
        pool.clear()
    if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        redirected = " Redirections are not followed: correct its URL." if answer.headers.get("Location") else ""
        raise DeliveryFailed(f"The channel's server answered with the status {answer.status}.{redirected}")


def _cause(error: Exception) -> str:
    """Return the kind of an error: its text may have the URL."""
    inner = error.args[-1] if error.args and isinstance(error.args[-1], Exception) else error
    return type(inner).__name__
