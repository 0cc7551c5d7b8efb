"""A port in use is skipped."""

import socket

from stack.servers import ports


def test_a_port_with_a_listener_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not ports.is_free(port)
        assert ports.next_free(port) > port
    assert ports.is_free(port)


def test_a_port_with_a_listener_on_all_addresses_is_not_free() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104  # that is the case to recognise
        assert not ports.is_free(server.getsockname()[1])


def test_reserved_ports_are_skipped() -> None:
    first = ports.any_free()
    assert ports.next_free(first, frozenset({first})) > first
