"""Send predictions and labels to a monitor service: calls take microseconds, and a spool folder survives crashes.

>>> from driftline.client import MonitorClient
"""

from driftline.client.errors import ClientClosed, SpoolFailed, SpoolFull
from driftline.client.monitor_client import MonitorClient
from driftline.client.status import ClientStatus

Monitor = MonitorClient
"""A short name of `MonitorClient`; `driftline.Monitor` is another class, which needs no service."""

__all__ = ["ClientClosed", "ClientStatus", "Monitor", "MonitorClient", "SpoolFailed", "SpoolFull"]
