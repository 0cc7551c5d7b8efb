"""A receiver on a local port, and clients that send to it soon."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from driftline.client import MonitorClient
from tests.unit.client.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def make_client(receiver: Receiver, tmp_path: Path) -> Iterator[Callable[..., MonitorClient]]:
    """Return a function that makes clients, which are closed after the test."""
    clients: list[MonitorClient] = []

    def make(**options: Any) -> MonitorClient:
        defaults: dict[str, Any] = {"spool": tmp_path / "spool", "batch_seconds": 0.02, "timeout": 2.0}
        client = MonitorClient(receiver.url, "churn", **(defaults | options))
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close(0)
