"""The monitor answers whatever is asked as `/openapi.json` says, and never with a fault of its own."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from driftline.settings import DatabaseSettings
from stack.testing.fixtures import DatabaseAddress
from tests.integration.fuzzing import PROBING, closed, faults, open_doors
from tests.integration.monitoring.applications import monitor_of
from tests.integration.monitoring.world import make_world

ENDS_OF_TIME = (
    "/api/v1/incidents",
    "/models/{name}/report.{ending}",
    *(
        f"/api/v1/models/{{name}}/{path}"
        for path in ("chunks", "chunks/{start}/revisions", "chunks/{start}/lineage", "results", "ingest")
    ),
)
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
    with monitor_of(database_settings, tmp_path / "output", access) as app:
        polled = app.test_client().post("/run-monitoring", headers={"Authorization": f"Bearer {token}"})
        assert polled.status_code == 200
        assert {*open_doors(app)} == PROBING
        assert faults(app, token, refusing=(*ENDS_OF_TIME, *ROWS, *SPECS, *SILENCES)) == []


def test_the_monitor_without_its_database_answers_as_described(tmp_path: Path) -> None:
    nobody = DatabaseSettings.model_validate({"port": 1, "user": "nobody", "password": "none"})
    access, token = closed(tmp_path)
    with monitor_of(nobody, tmp_path / "output", access) as app:
        assert faults(app, token, refusing=(*ENDS_OF_TIME, *ROWS, *SPECS, *SILENCES), away=True) == []


def test_a_text_that_no_name_has_is_no_fault(shared_client: FlaskClient) -> None:
    """Names that are stored as ASCII are compared with whatever is in a path or a query."""
    document = shared_client.get("/openapi.json").get_json()
    requests = [url for path, operations in document["paths"].items() for url in _urls(path, operations.get("get", {}))]
    answers = {url: shared_client.get(url).status_code for url in requests}
    assert len(answers) > 30
    assert {url: status for url, status in answers.items() if status >= 500} == {}


def _urls(path: str, operation: dict[str, Any]) -> Iterator[str]:
    """Yield the path with `÷ü` for each of its parameters, and with each text of its query."""
    parameters = operation.get("parameters", [])
    texts = [p["name"] for p in parameters if p["in"] == "query" and "'string'" in str(p["schema"])]
    for name in (*texts, *([None] if "{" in path else [])):
        for of_path in ("flights", "÷ü"):
            yield quote(re.sub("{.*?}", of_path, path)) + (f"?{urlencode({name: '÷ü'})}" if name else "")
