"""`python -m driftline.http.health PORT`: the health check of a container; asks the local service for `/readyz`."""

import http.client
import ssl
import sys
from contextlib import closing
from http import HTTPStatus
from pathlib import Path

from driftline.settings import TlsSettings

TIMEOUT_SECONDS = 5.0


def main() -> int:
    """Check the port given on the command line; return the exit status, 0 if the service is ready."""
    return 0 if is_ready(int(sys.argv[1]), TlsSettings().cert) else 1


def is_ready(port: int, certificate: Path | None = None) -> bool:
    """Return whether `GET /readyz` on loopback answers 200; over TLS if the service has a certificate (PEM)."""
    try:
        with closing(_connection(port, certificate)) as connection:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):  # including a certificate that cannot be read
        return False


def _connection(port: int, certificate: Path | None) -> http.client.HTTPConnection:
    if certificate is None:
        return http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    context = _pinned_context(certificate)
    return http.client.HTTPSConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS, context=context)


def _pinned_context(certificate: Path) -> ssl.SSLContext:
    """Return a context that trusts exactly this certificate, whoever signed it; its name need not be loopback's."""
    context = ssl.create_default_context(cafile=certificate)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.check_hostname = False
    return context


if __name__ == "__main__":
    sys.exit(main())
