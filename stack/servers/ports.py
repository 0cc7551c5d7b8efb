"""Loopback ports: free ones, and the ones that a var folder keeps."""

import socket


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def any_free(taken: frozenset[int] = frozenset()) -> int:
    """A port that the system says is free now; somebody else may take it before it is used: try again then."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port not in taken:
            return port


def next_free(first: int, taken: frozenset[int] = frozenset()) -> int:
    """The first free port from `first` on that is not in `taken`."""
    return next(port for port in range(first, 65536) if port not in taken and is_free(port))
