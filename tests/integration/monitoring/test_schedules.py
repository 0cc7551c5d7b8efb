"""A model with its own schedule on a real server: polled when it is due, once for all missed polls, shown over HTTP."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from driftline.settings import DatabaseSettings
from monitoring.poll.poller import poll_once
from stack.testing.fixtures import DatabaseAddress
from tests.integration.monitoring.applications import monitor_of
from tests.integration.monitoring.world import NAME, NOW, MonitoredWorld

URL = f"/api/v1/models/{NAME}/schedule"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    return mariadb


@pytest.fixture
def client(world: MonitoredWorld, database_settings: DatabaseSettings, tmp_path: Path) -> Iterator[FlaskClient]:
    assert world
    with monitor_of(database_settings, tmp_path / "output") as app:
        yield app.test_client()


def computed(world: MonitoredWorld, minutes: int, *, scheduled: bool = True) -> int:
    return poll_once(world.engine, NOW + minutes * MINUTE, scheduled=scheduled).chunks


def json_of(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json


def test_a_model_is_polled_by_its_own_schedule(world: MonitoredWorld, client: FlaskClient) -> None:
    answer = json_of(client.put(URL, json={"every": "PT1H"}))
    assert (answer["every_seconds"], answer["last_poll"], answer["lag_seconds"]) == (3600, None, 0)
    world.predict(0, 60)
    assert computed(world, 0) == 1
    world.predict(1, 60)
    assert computed(world, 30) == 0
    waiting = json_of(client.get(f"/api/v1/models/{NAME}"))["polling"]
    assert (waiting["waiting_batches"], waiting["waiting_chunks"], waiting["failed_chunks"]) == (0, 1, 0)
    assert (waiting["waiting_since"], waiting["last_poll"]) == ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z")
    assert waiting["lag_seconds"] > 0
    world.predict(2, 60)
    assert computed(world, 60 * 24, scheduled=True) == 2, "the polls that were missed are one"
    world.predict(3, 60)
    assert computed(world, 60 * 24 + 59) == 0
    assert computed(world, 60 * 24 + 59, scheduled=False) == 1
    world.predict(4, 60)
    assert json_of(client.delete(URL))["every_seconds"] == 10
    assert computed(world, 60 * 24 + 59) == 1


def test_a_schedule_without_polls_is_refused(client: FlaskClient) -> None:
    for body in ({}, {"cron": "often"}, {"every": "PT1H", "cron": "* * * * *"}, {"every": "PT0S"}):
        json_of(client.put(URL, json=body), 400)
    assert json_of(client.get(URL))["cron"] is None
    json_of(client.get("/api/v1/models/other/schedule"), 404)
    berlin = json_of(client.put(URL, json={"cron": "0 6 * * mon-fri", "time_zone": "Europe/Berlin"}))
    assert (berlin["every_seconds"], berlin["cron"], berlin["time_zone"]) == (
        None,
        "0 6 * * mon-fri",
        "Europe/Berlin",
    )
