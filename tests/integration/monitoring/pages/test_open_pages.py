"""A page that listens hears of a poll, over HTTP, and does not keep the server from stopping."""

import threading
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest
from sqlalchemy import Engine

from driftline.http.server.server import SHUTDOWN_SECONDS, make_server
from driftline.settings import DatabaseSettings, TlsSettings
from stack.testing.fixtures import DatabaseAddress
from tests.integration.monitoring.applications import monitor_of
from tests.integration.monitoring.world import make_world


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    return mariadb


def test_an_open_page_hears_of_a_poll(engine: Engine, database_settings: DatabaseSettings, tmp_path: Path) -> None:
    world = make_world(engine, tmp_path)
    with monitor_of(database_settings, tmp_path / "output") as app:
        server = make_server(app, "127.0.0.1", 0, TlsSettings(cert=None, key=None))
        serving = threading.Thread(target=server.serve)
        serving.start()
        page = HTTPConnection("127.0.0.1", server.bind_addr[1], timeout=60)
        page.request("GET", "/changes")
        answer = page.getresponse()
        lines = (line.decode().strip() for line in answer)
        assert next(line for line in lines if line.startswith("data:")) == "data: 0"
        world.predict(0)
        assert app.test_client().get("/run-monitoring").status_code == 200
        assert next(line for line in lines if line.startswith("data:")) != "data: 0"
        began = time.monotonic()
        server.stop()
        serving.join()
        assert time.monotonic() - began < SHUTDOWN_SECONDS / 2
        page.close()
