"""The monitor answers whatever is asked as `/openapi.json` says, and never with a fault of its own."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from driftline.settings import DatabaseSettings
from monitoring.app import create_app
from monitoring.settings import MonitorSettings
from stack.testing.fixtures import DatabaseAddress
from tests.integration.fuzzing import PROBING, closed, faults, open_doors
from tests.integration.monitoring.world import make_world

_OF_CHUNKS = tuple(f"/api/v1/models/{{name}}/{path}" for path in ("chunks", "chunks/{start}/revisions", "results"))
ENDS_OF_TIME = (*_OF_CHUNKS, "/models/{name}/report.{ending}")
"""They refuse instants at the calendar's ends: those that have no chunk, and those that are beyond them in UTC."""
ROWS = tuple(f"/api/v1/models/{{name}}/{kind}" for kind in ("predictions", "labels", "corrections", "deletions"))
"""They refuse rows that the model does not have, which the description does not know."""
SPECS = tuple(f"/api/v1/models/{{name}}{path}" for path in ("", "/specs", "/schedule", "/owner"))
"""They refuse references, fields of specs, cron expressions and owners that are none, which the description does not
know."""
SILENCES = ("/api/v1/incidents/{number}/silence",)
"""They refuse ends that are over, or far away."""


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    return mariadb


def test_the_monitor_answers_as_described(engine: Engine, database_settings: DatabaseSettings, tmp_path: Path) -> None:
    world = make_world(engine, tmp_path)
    world.predict(0)
    world.predict(2, shift=2.0)
    world.label(0)
    access, token = closed(tmp_path)
    app = create_app(MonitorSettings(output=tmp_path / "output"), database_settings, access, polls=False)
    polled = app.test_client().post("/run-monitoring", headers={"Authorization": f"Bearer {token}"})
    assert polled.status_code == 200
    assert {*open_doors(app)} == PROBING
    assert faults(app, token, refusing=(*ENDS_OF_TIME, *ROWS, *SPECS, *SILENCES)) == []


def test_the_monitor_without_its_database_answers_as_described(tmp_path: Path) -> None:
    nobody = DatabaseSettings.model_validate({"port": 1, "user": "nobody", "password": "none"})
    access, token = closed(tmp_path)
    app = create_app(MonitorSettings(output=tmp_path / "output"), nobody, access, polls=False)
    assert faults(app, token, refusing=(*ENDS_OF_TIME, *ROWS, *SPECS, *SILENCES), away=True) == []
