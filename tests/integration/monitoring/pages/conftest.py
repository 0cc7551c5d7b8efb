"""One world for all tests of the pages: a polled model with drift, segments and two days without labels."""

from collections.abc import Iterator

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from driftline.settings import DatabaseSettings
from driftline.store import migrate
from driftline.store.database import make_engine
from monitoring.app import create_app
from monitoring.settings import MonitorSettings
from stack.testing.fixtures import fresh_schema
from stack.testing.temporary_servers import TemporaryDatabase
from tests.integration.monitoring.world import SPEC, make_world

DAYS = 6


@pytest.fixture(scope="package")
def pages_settings(mariadb_session: TemporaryDatabase) -> Iterator[DatabaseSettings]:
    with fresh_schema(mariadb_session) as address:
        yield DatabaseSettings.model_validate(address.settings())


@pytest.fixture(scope="package")
def pages_engine(pages_settings: DatabaseSettings) -> Iterator[Engine]:
    engine = make_engine(pages_settings)
    migrate.upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="package")
def site(pages_engine: Engine, pages_settings: DatabaseSettings, tmp_path_factory: pytest.TempPathFactory) -> APIFlask:
    """The monitor after a poll: six days, of which the last three drifted, and the labels of the first four."""
    folder = tmp_path_factory.mktemp("pages")
    world = make_world(pages_engine, folder, SPEC.model_copy(update={"segments": ("carrier",)}))
    for day in range(DAYS):
        world.predict(day, 150, shift=2.0 if day > 2 else 0.0)
    for day in range(4):
        world.label(day, 150)
    app = create_app(MonitorSettings(output=folder / "output", run_wait_seconds=600), pages_settings, polls=False)
    assert app.test_client().get("/run-monitoring").status_code == 200
    return app


@pytest.fixture
def reader(site: APIFlask) -> FlaskClient:
    client: FlaskClient = site.test_client()
    return client
