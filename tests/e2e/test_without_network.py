"""What the worlds did beyond loopback (nothing), and that an attempt would have been seen. Comes last."""

import socket
import time
from concurrent.futures import Future
from pathlib import Path

import pytest

from devtools.isolation import network_attempts
from stack.testing.isolated_stack import IsolatedStack
from tests.e2e.attempts import PLANTED, beyond_loopback

pytestmark = pytest.mark.usefixtures("loop")  # in the process of the other tests of the loop, after them
SEEN_SECONDS = 10


def test_the_loop_reached_for_nothing_but_loopback(attempts: Path) -> None:
    assert beyond_loopback(attempts) == []


@pytest.mark.kills
def test_the_killed_loop_reached_for_nothing_but_loopback(attempts: Path, disturbed: "Future[IsolatedStack]") -> None:
    disturbed.result()
    assert beyond_loopback(attempts) == []


def test_an_attempt_would_have_been_seen(attempts: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"planted", (PLANTED.address, PLANTED.port or 0))
    deadline = time.monotonic() + SEEN_SECONDS
    while PLANTED not in network_attempts.read(attempts):
        assert time.monotonic() < deadline, "the watcher sleeps"
        time.sleep(0.02)
