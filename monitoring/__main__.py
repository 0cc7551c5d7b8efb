"""Run the monitor: `python -m monitoring`."""

import logging

from driftline import logs
from driftline.errors import DriftlineError
from driftline.http.server import serve
from driftline.settings import DatabaseSettings, TlsSettings
from monitoring.app import create_app
from monitoring.settings import MonitorSettings

log = logging.getLogger("monitoring")


def main() -> None:
    """Serve until interrupted; report an invalid setting in one message and exit with status 2."""
    logs.configure("monitor")
    try:
        settings, tls = MonitorSettings(), TlsSettings()
        serve(create_app(settings, DatabaseSettings()), settings.host, settings.port, tls)
    except DriftlineError as error:
        log.error("%s", error)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
