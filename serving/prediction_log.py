"""Sends predictions to the monitor by one client for each version, so that each row belongs to its version."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import urllib3  # noqa: F401  # the client imports it with its first batch, which would hold up all requests meanwhile

from driftline.artifacts.output_rule import Scored
from driftline.client import MonitorClient
from serving.models.served_version import ServedVersion

CLOSE_SECONDS = 5.0


@dataclass
class PredictionLog:
    """Logs predictions to a spool folder, from where they are sent; the monitor may be away. Safe for threads."""

    url: str
    spool: Path
    token: str | None = None
    ca: Path | None = None
    _clients: dict[tuple[str, int], MonitorClient] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(
        self, version: ServedVersion, row_id: str | None, at: datetime | None, row: Mapping[str, Any], scored: Scored
    ) -> str | None:
        """Log one prediction and return its id; None where the spool folder cannot take it, which is logged."""
        scores = scored.score if scored.scores is None else scored.scores
        features = {name: row[name] for name in version.features}
        return self._client(version).log(features, scored.prediction, scores, row_id, at) or None

    def _client(self, version: ServedVersion) -> MonitorClient:
        """Return the client of a version; make it at the first prediction."""
        key = (version.name, version.number)
        client = self._clients.get(key)
        if client is not None:
            return client
        with self._lock:
            if key not in self._clients:
                self._clients[key] = MonitorClient(
                    self.url,
                    version.name,
                    spool=self.spool,
                    version=version.number,
                    token=self.token,
                    ca=self.ca,
                    raise_errors=False,
                )
            return self._clients[key]

    def waiting(self) -> int:
        """Return how many batches wait to be sent."""
        return sum(client.status().waiting_batches for client in [*self._clients.values()])

    def close(self) -> None:
        """Send remaining rows for some seconds; the rest is sent when the service runs again."""
        for client in [*self._clients.values()]:
            client.close(CLOSE_SECONDS)
