"""Attempts to connect to more than loopback, as `devtools.isolation.network_namespace` logs them."""

from pathlib import Path

from devtools.isolation import network_attempts
from devtools.isolation.network_attempts import NetworkAttempt

PLANTED = NetworkAttempt("udp", "192.0.2.7", 4242)
"""The attempt that a test makes, to an address that belongs to documentation (RFC 5737)."""


def beyond_loopback(log: Path) -> list[str]:
    """Return the attempts of a log except the planted one."""
    return [str(attempt) for attempt in network_attempts.read(log) if attempt != PLANTED]
