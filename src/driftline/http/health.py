"""`python -m driftline.http.health PORT`: whether the local service can work, for a container's health check."""

import http.client
import ssl
import sys
from contextlib import closing
from http import HTTPStatus
from pathlib import Path

from driftline.settings import TlsSettings

SECONDS = 5.0
"""After which no answer is no."""


def main() -> int:
    """Ask the port of the command line; the exit status is 0 if it can work."""
    return 0 if can_work(int(sys.argv[1]), TlsSettings().cert) else 1


def can_work(port: int, certificate: Path | None = None) -> bool:
    """Say whether `GET /readyz` on loopback answers 200; by TLS where the service has a certificate (PEM)."""
    try:
        with closing(_connection(port, certificate)) as connection:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):  # a certificate that cannot be read included
        return False


def _connection(port: int, certificate: Path | None) -> http.client.HTTPConnection:
    if certificate is None:
        return http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    return http.client.HTTPSConnection("127.0.0.1", port, timeout=SECONDS, context=_trusting(certificate))


def _trusting(certificate: Path) -> ssl.SSLContext:
    """Trust this very certificate, whoever signed it; the name is not looked at, since it is not loopback's."""
    context = ssl.create_default_context(cafile=certificate)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.check_hostname = False
    return context


if __name__ == "__main__":
    sys.exit(main())
