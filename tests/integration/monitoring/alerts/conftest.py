"""A model whose verdicts a test writes, and what alerts about it are planned with."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from monitoring.alerts.configuration import configuration_of
from monitoring.alerts.planning import Planner, plan_alerts
from tests.integration.monitoring.alerts.receivers import ReceivingServer, http_receiver
from tests.integration.monitoring.incidents.days import Days
from tests.integration.monitoring.world import FIRST, make_world

DAY = timedelta(days=1)


@pytest.fixture
def days(engine: Engine, tmp_path: Path) -> Days:
    return Days(engine, make_world(engine, tmp_path).version.key, detector=False)


@pytest.fixture
def receiver() -> Iterator[ReceivingServer]:
    with http_receiver() as http:
        yield http


class Planning:
    """Plans alerts as a poll does, at a time after the days that were written."""

    def __init__(self, engine: Engine, content: dict[str, Any]) -> None:
        self.engine = engine
        self.planner = Planner(configuration_of(content, "alerts.yaml"), "https://driftline.example")
        self.now: datetime = FIRST + 9 * DAY

    def plan(self) -> int:
        return plan_alerts(self.engine, self.planner, self.now)
