"""A world for one test, and a monitor that tests share which only read, since computing its chunks takes long."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from driftline.settings import DatabaseSettings
from driftline.store import migrate
from driftline.store.database import make_engine
from tests.integration.monitoring.applications import monitor_of
from tests.integration.monitoring.world import MonitoredWorld, make_world
from tests.integration.schemas import Schemas


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> MonitoredWorld:
    return make_world(engine, tmp_path)


@pytest.fixture(scope="package")
def shared_client(mariadb_schemas: Schemas, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """A monitor after its first poll: eight days, drift in the last three, the labels of the first four."""
    folder = tmp_path_factory.mktemp("shared")
    with mariadb_schemas.migrated(migrate.upgrade) as address:
        settings = DatabaseSettings.model_validate(address.settings())
        engine = make_engine(settings)
        world = make_world(engine, folder)
        for day in range(8):
            world.predict(day, shift=2.0 if day > 4 else 0.0)
        for day in range(4):
            world.label(day)
        with monitor_of(settings, folder / "output") as app:
            client = app.test_client()
            assert client.get("/run-monitoring").status_code == 200
            yield client
        engine.dispose()
