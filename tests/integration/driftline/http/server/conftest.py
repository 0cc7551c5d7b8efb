"""A running server, and a certificate for one."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from stack.services.certificates import Certificates, make_certificates
from tests.integration.driftline.http.server.clients import running_server


@pytest.fixture
def port() -> Iterator[int]:
    """Yield the port of a service over plain HTTP."""
    with running_server() as port:
        yield port


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Return a CA and a certificate that it signed for this machine."""
    return make_certificates(tmp_path_factory.mktemp("certificates"), datetime.now(UTC))
