"""Serves the simulator: `python -m flaskapp`."""

import logging
import signal
import sys

import waitress

from driftline import logs
from driftline.errors import DriftlineError
from flaskapp.app import create_app
from flaskapp.settings import Settings

log = logging.getLogger("flaskapp")


def main() -> None:
    """Serve until told to stop; a setting that does not fit is one clear message and exit status 2."""
    logs.configure("simulator")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    settings = Settings()
    try:
        app = create_app(settings)
    except DriftlineError as error:
        log.error("%s", error)
        raise SystemExit(2) from error
    try:
        waitress.serve(app, host=settings.simulator.host, port=settings.simulator.port, threads=8, ident=None)
    finally:
        app.extensions["streaming"].close()


if __name__ == "__main__":
    main()
