"""The monitor service as a process of its own, which can be killed and started again at the same address."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from stack.servers import ports
from stack.testing.fixtures import DatabaseAddress
from tests.unit.docs.pages import ROOT

START_SECONDS = 60.0


class MonitorProcess:
    """A monitor on a database; it polls rarely, so that the test's processor time is for rows."""

    def __init__(self, database: DatabaseAddress, folder: Path) -> None:
        self.port = ports.any_free()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = (folder / "monitor.log").open("ab")
        settings = {"MONITOR_PORT": str(self.port), "MONITOR_OUTPUT": str(folder / "output")}
        self._environment = os.environ | database.environment() | settings | {"MONITOR_POLL_SECONDS": "3600"}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process; it answers some seconds later."""
        command = [sys.executable, "-m", "monitoring"]
        self._process = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=self._log, stderr=self._log)

    def await_answer(self) -> None:
        """Wait until the process answers."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with suppress(URLError, OSError), urlopen(f"{self.url}/healthz", timeout=5):  # noqa: S310  # our own address
                return
            time.sleep(0.05)
        raise TimeoutError("the monitor does not answer")

    def kill(self) -> None:
        """Kill the process, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """Kill the process and close its log."""
        self.kill()
        self._log.close()
