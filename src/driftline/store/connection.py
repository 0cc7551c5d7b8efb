"""A connection to MySQL, by PyMySQL: it uses TLS where the server offers it."""

import ssl
from functools import cache
from typing import TYPE_CHECKING, Any

import pymysql.connections

if TYPE_CHECKING:
    from pymysql.cursors import Cursor

    Base = pymysql.connections.Connection[Cursor]
else:
    Base = pymysql.connections.Connection


class Connection(Base):
    """A connection that verifies the server with the given TLS context; without one it verifies nothing.

    PyMySQL loads the system's CAs for each such connection, which takes 50 ms of processor time, and does not use them.
    """

    def _create_ssl_ctx(self, options: Any) -> ssl.SSLContext:
        """Return the context that was given to `ssl`; without one, a context that trusts any server."""
        return options if isinstance(options, ssl.SSLContext) else _unverified()


@cache
def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
