"""What a client reports of itself."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class ClientStatus:
    """Counts of one client since its process created it, and of its spool folder, which several processes may share.

    >>> import tempfile
    >>> from driftline.client import MonitorClient
    >>> with tempfile.TemporaryDirectory() as spool:
    ...     status = MonitorClient("http://127.0.0.1:9", "shipments", spool=spool).status()
    >>> status.logged, status.sent, status.last_error
    (0, 0, None)
    """

    logged: int
    """Rows that calls of this process have accepted."""
    dropped: int
    """Rows that were not accepted: invalid, or the spool folder was full (counted with `raise_errors=False` too)."""
    sent: int
    """Rows that this process has sent and the monitor has stored, those of earlier processes included."""
    waiting_batches: int
    """Batches in the spool folder that are complete and not yet stored by the monitor."""
    waiting_bytes: int
    """Bytes of all batches in the spool folder, incomplete ones included."""
    refused_batches: int
    """Batches in the folder `refused`, each with its reason beside it."""
    refused_bytes: int
    """Bytes of the folder `refused`, which count for `max_spool_bytes`."""
    failing_batches: int
    """Waiting batches that could not be read, or on which the monitor failed; others are sent before them."""
    last_sent_at: datetime | None
    """When this process last sent a batch."""
    last_error: str | None
    """Why the last attempt to send failed; None after a success."""
