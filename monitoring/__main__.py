"""Run the monitor: `python -m monitoring`."""

import logging

from waitress import serve

from driftline import logs
from driftline.errors import DriftlineError
from driftline.settings import DatabaseSettings
from monitoring.app import create_app
from monitoring.settings import MonitorSettings

log = logging.getLogger("monitoring")


def main() -> None:
    """Serve until told to stop; a setting that does not fit is one clear message and exit status 2."""
    logs.configure("monitor")
    settings = MonitorSettings()
    try:
        app = create_app(settings, DatabaseSettings())
    except DriftlineError as error:
        log.error("%s", error)
        raise SystemExit(2) from error
    serve(app, host=settings.host, port=settings.port, threads=8, ident=None)


if __name__ == "__main__":
    main()
