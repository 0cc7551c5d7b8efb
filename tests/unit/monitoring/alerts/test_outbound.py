"""Channels reach public addresses only, unless they may reach internal ones."""

import contextlib
import http.server
import socket
import threading
from collections.abc import Iterator

import pytest
import urllib3

from monitoring.alerts.channels.outbound import DeliveryFailed, is_internal, post, public_addresses_only


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "::1", "::",  # noqa: S104
        "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "224.0.0.1", "localhost", "",
    ],
)  # fmt: skip
def test_an_internal_address_is_known(host: str) -> None:
    assert is_internal(host)


@pytest.mark.parametrize("host", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_a_public_address_is_known(host: str) -> None:
    assert not is_internal(host)


class Redirecting(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(302 if self.path == "/moved" else 204)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Redirecting) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_internal_server_is_reached_only_where_it_is_allowed(address: str) -> None:
    post(address, b"{}", {}, allow_internal=True)
    with pytest.raises(DeliveryFailed, match=r"internal address 127\.0\.0\.1"):
        post(address, b"{}", {}, allow_internal=False)


def test_a_name_counts_as_what_it_resolves_to_when_it_connects(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that was public when somebody looked it up may be another address now."""
    port = int(address.rpartition(":")[2])
    resolved = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: resolved)
    with pytest.raises(DeliveryFailed, match="internal address"):
        post(f"http://public.example:{port}/", b"{}", {}, allow_internal=False)
    post(f"http://public.example:{port}/", b"{}", {}, allow_internal=True)


def test_a_redirection_is_not_followed(address: str) -> None:
    with pytest.raises(DeliveryFailed, match=r"status 302\. Redirections are not followed"):
        post(f"{address}/moved", b"{}", {}, allow_internal=True)


def test_a_refusal_that_a_library_hides_is_a_failure(address: str) -> None:
    def hiding() -> None:
        with contextlib.suppress(Exception):
            urllib3.PoolManager(retries=False).request("POST", address)

    with pytest.raises(DeliveryFailed, match="internal address"), public_addresses_only(except_internal=False):
        hiding()


def test_other_code_connects_as_before(address: str) -> None:
    with contextlib.suppress(DeliveryFailed):
        post(address, b"{}", {}, allow_internal=False)
    with contextlib.closing(urllib3.PoolManager(retries=False).request("POST", address, body=b"")) as answer:
        assert answer.status == 204


def test_a_failure_names_no_url() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/hooks/s3cr3t"
        with pytest.raises(DeliveryFailed) as error:
            post(url, b"{}", {}, allow_internal=True)
    assert "s3cr3t" not in str(error.value)
    assert error.value.__cause__ is None
