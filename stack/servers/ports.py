"""Free loopback ports."""

import socket


def is_free(port: int) -> bool:
    """Return whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def any_free(excluded: frozenset[int] = frozenset()) -> int:
    """Return a port that is free now; another process may take it before it is used, so be ready to try again."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port not in excluded:
            return port


def next_free(first: int, excluded: frozenset[int] = frozenset()) -> int:
    """Return the first free port from `first` on that is not in `excluded`."""
    return next(port for port in range(first, 65536) if port not in excluded and is_free(port))
