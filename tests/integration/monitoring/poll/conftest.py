"""Worlds that the tests of this folder poll."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.integration.monitoring.world import MonitoredWorld, make_world


@pytest.fixture
def weeks(engine: Engine, tmp_path: Path) -> MonitoredWorld:
    """The world with a reference that is long enough for chunks of a week."""
    return make_world(engine, tmp_path, days=63)
