"""Serves the simulator: `python -m flaskapp`."""

import logging

from driftline import logs
from driftline.errors import DriftlineError
from driftline.http.server.server import serve
from driftline.settings import TlsSettings
from driftline.traces.start import traced
from flaskapp.app import create_app
from flaskapp.settings import Settings

log = logging.getLogger("flaskapp")


def main() -> None:
    """Serve until interrupted; report an invalid setting in one message and exit with status 2."""
    logs.configure("simulator")
    try:
        with traced("simulator"):
            _serve(Settings(), TlsSettings())
    except DriftlineError as error:
        log.error("%s", error)
        raise SystemExit(2) from error


def _serve(settings: Settings, tls: TlsSettings) -> None:
    app = create_app(settings)
    try:
        serve(app, settings.simulator.host, settings.simulator.port, tls)
    finally:
        app.extensions["streaming"].close()


if __name__ == "__main__":
    main()
