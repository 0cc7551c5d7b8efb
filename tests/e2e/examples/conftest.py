"""What every short run of an example must keep."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.isolation.network_namespace import VARIABLE
from tests.e2e.attempts import beyond_loopback


@pytest.fixture(scope="module", autouse=True)
def reaches_for_nothing_but_loopback() -> Iterator[None]:
    """Fail if anything has been attempted beyond loopback until the end of the example's tests."""
    yield
    if log := os.environ.get(VARIABLE):
        assert beyond_loopback(Path(log)) == []
