"""A port in use is passed over."""

import socket

from stack.servers import ports


def test_a_port_that_is_listened_on_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not ports.is_free(port)
        assert ports.next_free(port) > port
    assert ports.is_free(port)


def test_a_port_listened_on_everywhere_is_not_free() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104  # that is the case to recognise
        assert not ports.is_free(server.getsockname()[1])


def test_ports_meant_for_others_are_passed_over() -> None:
    first = ports.any_free()
    assert ports.next_free(first, frozenset({first})) > first
