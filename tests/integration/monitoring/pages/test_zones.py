"""Pages of a model whose days do not begin at midnight in UTC: dates are days of the model's calendar."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from driftline.settings import DatabaseSettings
from stack.testing.fixtures import DatabaseAddress
from tests.integration.monitoring.applications import monitor_of
from tests.integration.monitoring.world import NAME, SPEC, make_world

DAYS = 6
CALENDAR = {"time_zone": "Asia/Dhaka", "drift_alerts": True}
"""Its days begin at 18:00 in UTC."""
PATH = f"/api/v1/models/{NAME}"


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    return mariadb


@pytest.fixture
def reader(engine: Engine, database_settings: DatabaseSettings, tmp_path: Path) -> Iterator[FlaskClient]:
    """A monitor after a poll, whose model drifts from the fourth day."""
    world = make_world(engine, tmp_path, SPEC.model_copy(update=CALENDAR))
    for day in range(DAYS):
        world.predict(day, 150, shift=2.0 if day > 2 else 0.0)
    with monitor_of(database_settings, tmp_path / "output") as app:
        reader = app.test_client()
        assert reader.get("/run-monitoring").status_code == 200
        yield reader


def test_a_range_of_dates_has_whole_days_of_the_calendar(reader: FlaskClient) -> None:
    page = reader.get(f"/models/{NAME}").text
    ends = dict(re.findall(r'type="date" name="(from|to)" value="([^"]+)"', page))
    chunks = reader.get(f"{PATH}/chunks").json["chunks"]  # type: ignore[index]
    assert [chunks[0]["start"], chunks[-1]["start"]] == ["2026-01-31T18:00:00Z", "2026-02-05T18:00:00Z"]
    assert ends == {"from": "2026-02-01", "to": "2026-02-06"}
    for path in (f"/models/{NAME}", f"/models/{NAME}/quality"):
        assert _days(reader.get(path, query_string=ends).text) == _days(reader.get(path).text)
    for name in ("chunks", "results"):
        every, ranged = (reader.get(f"{PATH}/{name}", query_string=query).json for query in ({}, ends))
        assert ranged[name] == every[name]  # type: ignore[index]
    day = {"from": "2026-02-02", "to": "2026-02-02"}
    assert [each["start"] for each in reader.get(f"{PATH}/chunks", query_string=day).json["chunks"]] == [  # type: ignore[index]
        "2026-02-01T18:00:00Z"
    ]

    for path in (f"{PATH}/chunks", f"{PATH}/results", f"/models/{NAME}", f"/models/{NAME}/report.json"):
        for impossible in ("2026-02-30", "yesterday"):
            refused = reader.get(path, query_string={"from": impossible})
            assert refused.status_code == 400
            assert "from: " in refused.text
        assert reader.get(path, query_string={"from": "0001-01-01", "to": "9999-12-31"}).status_code == 200


def test_incidents_are_listed_with_days_of_the_calendar(reader: FlaskClient) -> None:
    (incident,) = reader.get("/api/v1/incidents").json["incidents"]  # type: ignore[index]
    assert incident["first"].endswith("T18:00:00Z")
    for path in ("/incidents", f"/models/{NAME}", f"/incidents/{incident['number']}"):
        text = reader.get(path).text
        assert "5 Feb 2026" in text
        assert "4 Feb 2026" not in text


def _days(text: str) -> int:
    return len(re.findall(r"/chunks/|/history", text))
