"""The current content of the configuration file: read again when it changes."""

import logging
from pathlib import Path
from threading import Lock

from driftline.errors import InvalidInput
from monitoring.alerts.configuration import AlertConfiguration, read_file

log = logging.getLogger(__name__)


class AlertsFile:
    """The channels and routes of a file; while the file is invalid, the last valid ones. Thread-safe."""

    def __init__(self, path: Path | None) -> None:
        """Read the file; raises `InvalidInput` if it cannot be used. Without a file there are no channels."""
        self._path, self._lock = path, Lock()
        self._stamp = self._current_stamp()
        self._configuration = read_file(path) if path else AlertConfiguration()

    def current(self) -> AlertConfiguration:
        """Return the configuration."""
        if self._path is None:
            return self._configuration
        with self._lock:
            stamp = self._current_stamp()
            if stamp != self._stamp:
                self._stamp = stamp
                self._read(self._path)
            return self._configuration

    def _read(self, path: Path) -> None:
        try:
            self._configuration = read_file(path)
        except InvalidInput as error:
            log.error("%s Until then the channels and routes read last are used.", error)
        else:
            log.info("Read the alert channels of %s again.", path)

    def _current_stamp(self) -> tuple[int, ...] | None:
        """Return what changes with the file's content."""
        try:
            status = self._path.stat() if self._path else None
        except OSError:
            return None
        return status and (status.st_mtime_ns, status.st_ino, status.st_size)
