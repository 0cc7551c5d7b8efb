"""A spec is changed on a page: what it says about past verdicts is what a poll after the revision derives."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from driftline.settings import DatabaseSettings
from driftline.store.tables import chunk_states, spec_revisions, verdicts
from driftline.store.versions import registry
from monitoring.pages.specs.spec_form import changes_of, form_values
from monitoring.report.spec_preview import SpecPreview
from monitoring.service import MonitorService
from stack.testing.fixtures import DatabaseAddress
from tests.integration.monitoring.applications import monitor_of
from tests.integration.monitoring.world import NAME, NOW, SPEC, MonitoredWorld, make_world

DAYS = 12
URL = f"/models/{NAME}/spec/edit"


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    return mariadb


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> MonitoredWorld:
    """Days of which one is missing, some drifted, some have turned labels, and the last have none."""
    world = make_world(engine, tmp_path, SPEC.model_copy(update={"segments": ("carrier",)}))
    for day in (day for day in range(DAYS) if day != 2):
        world.predict(day, 60 if day == 3 else 150, shift=2.0 if 4 < day < 8 else 0.0)
    for day in (day for day in range(DAYS - 3) if day != 2):
        world.label(day, 60 if day == 3 else 150, flipped=day in (7, 8))
    return world


@pytest.fixture
def client(world: MonitoredWorld, database_settings: DatabaseSettings, tmp_path: Path) -> Iterator[FlaskClient]:
    del world  # is written first
    with monitor_of(database_settings, tmp_path / "output", run_wait_seconds=600) as app:
        client = app.test_client()
        assert client.get("/run-monitoring").status_code == 200
        yield client


CHANGES: tuple[dict[str, str], ...] = (
    {"alert_budget": "", "upper.wasserstein": "5"},
    {"alert_budget": "50", "minimum_rows": "70", "lower.roc_auc": "0.9", "drift_alerts": "yes"},
    {"label_delay": "P1D", "label_coverage": "50", "minimum_rows": "40", "alert_on": "harm"},
)


def test_the_preview_is_what_a_poll_after_the_revision_derives(client: FlaskClient, world: MonitoredWorld) -> None:
    monitor = MonitorService(world.engine, None, lambda: NOW)  # type: ignore[arg-type]  # it writes no report
    for change in CHANGES:
        version = registry.load(world.engine, NAME)
        texts = form_values(version.spec) | change
        stored = [world.rows(table) for table in (spec_revisions, verdicts, chunk_states)]
        assert "Save as revision" in client.get(URL, query_string=texts).text
        assert [world.rows(table) for table in (spec_revisions, verdicts, chunk_states)] == stored
        preview: SpecPreview = monitor.spec_preview(version, changes_of(version.spec, texts))
        assert (len(preview.chunks), preview.not_computed) == (DAYS - 1, 0)
        assert preview.differing
        expected = {chunk.chunk.start.replace(tzinfo=None): chunk.after.state for chunk in preview.chunks}
        reasons = {chunk.chunk.start: chunk.after for chunk in preview.chunks}
        assert client.post(URL, data=texts).status_code == 303
        assert client.get("/run-monitoring").status_code == 200
        assert {row["chunk_start"]: row["state"] for row in world.rows(verdicts) if row["current"]} == expected
        version = registry.load(world.engine, NAME)
        again = monitor.spec_preview(version, {})
        assert {chunk.chunk.start: chunk.before for chunk in again.chunks} == reasons


def test_what_is_wrong_with_the_form_is_shown_and_nothing_is_saved(client: FlaskClient, world: MonitoredWorld) -> None:
    assert "Show what past verdicts would have been" in client.get(URL).text
    texts = form_values(world.version.spec)
    assert "Nothing is changed" in client.get(URL, query_string=texts).text
    for change, words in (
        ({"minimum_rows": "few"}, "minimum rows: &#39;few&#39; is not a number"),
        ({"label_delay": "soon"}, "label_delay"),
        ({"lower.roc_auc": "0.9", "upper.roc_auc": "0.1"}, "must be less than"),
    ):
        for page in (client.get(URL, query_string=texts | change), client.post(URL, data=texts | change)):
            assert words in page.text
    assert client.post(URL, data=texts, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert world.version.spec_revision == 1
