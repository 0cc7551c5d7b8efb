"""Monitors of tests, without a background poller: their connections are closed before the schema is used again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from apiflask import APIFlask

from driftline.settings import AccessSettings, DatabaseSettings
from monitoring.app import create_app
from monitoring.settings import MonitorSettings


@contextmanager
def monitor_of(
    database: DatabaseSettings, output: Path, access: AccessSettings | None = None, wait_seconds: float = 30.0
) -> Iterator[APIFlask]:
    """Run a monitor that polls by request only."""
    settings = MonitorSettings(output=output, run_wait_seconds=wait_seconds)
    app = create_app(settings, database, access, polls=False)
    try:
        yield app
    finally:
        app.extensions["engine"].dispose()
