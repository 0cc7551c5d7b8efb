"""Monitors of tests, without a background poller: their connections are closed before the schema is used again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from apiflask import APIFlask

from driftline.settings import AccessSettings, DatabaseSettings
from monitoring.app import create_app
from monitoring.settings import MonitorSettings


@contextmanager
def monitor_of(
    database: DatabaseSettings, output: Path, access: AccessSettings | None = None, **options: Any
) -> Iterator[APIFlask]:
    """Run a monitor that polls by request only, with further settings if there are any."""
    settings = MonitorSettings(output=output, **options)
    app = create_app(settings, database, access, polls=False)
    try:
        yield app
    finally:
        app.extensions["engine"].dispose()
