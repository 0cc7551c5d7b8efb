"""Run the serving service: `python -m serving`."""

import gc
import logging

from driftline import logs
from driftline.errors import DriftlineError
from driftline.settings import AccessSettings, DatabaseSettings, TlsSettings
from driftline.traces.start import traced
from serving.app import create_app
from serving.settings import ServingSettings
from serving.web.server import serve

log = logging.getLogger("serving")


def main() -> None:
    """Serve until interrupted; report an invalid setting in one message and exit with status 2."""
    logs.configure("serving")
    try:
        with traced("serving"):
            _serve(ServingSettings(), AccessSettings(), TlsSettings())
    except DriftlineError as error:
        log.error("%s", error)
        raise SystemExit(2) from error


def _serve(settings: ServingSettings, access: AccessSettings, tls: TlsSettings) -> None:
    service = create_app(settings, DatabaseSettings(), access)
    service.start(settings.refresh_seconds)
    _exempt_from_collection()
    try:
        serve(service.asgi, settings.host, settings.port, tls, access.max_body)
    finally:
        service.close()


def _exempt_from_collection() -> None:
    """Exempt what is loaded from garbage collection: a full one would hold up all requests for a tenth of a second."""
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    main()
