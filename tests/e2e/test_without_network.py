"""What both worlds did beyond loopback (nothing), and that an attempt would have been seen. Comes last."""

import os
import socket
import time
from concurrent.futures import Future
from pathlib import Path

import pytest

from devtools.isolation import network_attempts
from devtools.isolation.network_attempts import NetworkAttempt
from devtools.isolation.network_namespace import VARIABLE
from stack.testing.isolated_stack import IsolatedStack

pytestmark = pytest.mark.usefixtures("loop")  # in the process of the other tests of the loop, after them
PLANTED = NetworkAttempt("udp", "192.0.2.7", 4242)
"""An address that belongs to documentation (RFC 5737)."""
SEEN_SECONDS = 10


@pytest.fixture
def log() -> Path:
    """Where attempts are noted; without it this test cannot say anything."""
    if VARIABLE not in os.environ:
        pytest.skip("not run by `python -m devtools.isolation.network_namespace`, or the machine forbids it")
    return Path(os.environ[VARIABLE])


def test_both_worlds_reached_for_nothing_but_loopback(log: Path, disturbed: "Future[IsolatedStack]") -> None:
    disturbed.result()
    reached_for = [str(attempt) for attempt in network_attempts.read(log)]
    assert reached_for == []


def test_an_attempt_would_have_been_seen(log: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"planted", (PLANTED.address, PLANTED.port or 0))
    deadline = time.monotonic() + SEEN_SECONDS
    while PLANTED not in network_attempts.read(log):
        assert time.monotonic() < deadline, "the watcher sleeps"
        time.sleep(0.02)
