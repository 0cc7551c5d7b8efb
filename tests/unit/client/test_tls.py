"""Over HTTPS the client talks only to a monitor whose certificate its authority has signed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from driftline.client import MonitorClient
from stack.services.certificates import Certificates, make_certificates
from tests.unit.client.receiver import Receiver
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"), datetime.now(UTC), ("127.0.0.1",))


@pytest.fixture
def secure_receiver(certificates: Certificates) -> Iterator[Receiver]:
    with Receiver(certificates=certificates) as receiver:
        yield receiver


def test_rows_arrive_over_https(secure_receiver: Receiver, certificates: Certificates, tmp_path: Path) -> None:
    with MonitorClient(secure_receiver.url, "churn", spool=tmp_path, ca=certificates.authority) as client:
        client.log({}, 1, id="a")
        assert client.flush(5)
    assert secure_receiver.ids == {"a": 1}


@pytest.mark.slow
def test_nothing_is_sent_to_a_server_that_is_not_trusted(secure_receiver: Receiver, tmp_path: Path) -> None:
    with MonitorClient(secure_receiver.url, "churn", spool=tmp_path, token="dl_1") as client:
        client.log({}, 1, id="a")
        assert client.flush(0.5) is False
        wait_until(lambda: "certificate" in str(client.status().last_error), 10)
        assert client.close(0) is False
    assert secure_receiver.requests == []


def test_a_token_is_not_sent_in_plain_text_unnoticed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for url, token in (
        ("http://127.0.0.1", "dl_1"),
        ("http://[::1]", "dl_1"),
        ("http://localhost", "dl_1"),
        ("https://monitor.example", "dl_1"),
        ("http://monitor.example", None),
    ):
        MonitorClient(url, "churn", spool=tmp_path, token=token).close()
    assert caplog.text == ""
    MonitorClient("http://monitor.example:5001", "churn", spool=tmp_path, token="dl_1").close()
    assert "http://monitor.example:5001 is not https: the network can read the token and the rows" in caplog.text
