"""Errors of the client that are not faults of a value."""

from driftline.errors import DriftlineError, Unavailable


class SpoolFull(Unavailable):
    """The spool folder is full, and this row was not taken; start the monitor, or raise max_spool_bytes=."""


class SpoolFailed(Unavailable):
    """The spool folder cannot be written, and this row was not taken; the message says why."""

    accepted = 0
    """Rows of the same call that had been taken before."""


class ClientClosed(DriftlineError):
    """The client is closed and takes no more rows; create another one."""
