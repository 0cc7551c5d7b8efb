"""Errors of the client that are not faults of a value."""

from driftline.errors import DriftlineError, Unavailable


class SpoolFull(Unavailable):
    """The spool folder is full, and this row was not accepted; start the monitor, or raise max_spool_bytes=."""


class SpoolFailed(Unavailable):
    """The spool folder cannot be written, and this row was not accepted; the message says why."""

    accepted = 0
    """Rows of the same call that were accepted before."""


class ClientClosed(DriftlineError):
    """The client is closed and accepts no further rows; create another one."""
