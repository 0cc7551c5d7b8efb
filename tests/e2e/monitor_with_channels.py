"""A second monitor of a running stack that sends alerts: a channel that works, and one that fails."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from stack import paths
from stack.testing.isolated_stack import IsolatedStack
from tests.integration.monitoring.alerts.receivers import HttpReceiver, http_receiver

CHANNELS = """
attempts: 1
channels:
  works: {{type: webhook, url: "{works}", secret: hook_key, allow_internal: true}}
  fails: {{type: webhook, url: "{fails}", secret: hook_key, allow_internal: true}}
routes:
  - channels: [works, fails]
"""
SECONDS = 60


@dataclass(frozen=True)
class Alerted:
    """The address of the monitor, and the servers behind its channels."""

    site: str
    works: HttpReceiver
    fails: HttpReceiver


@contextmanager
def monitor_with_channels(loop: IsolatedStack, folder: Path, port: int) -> Iterator[Alerted]:
    """Run the monitor as long as the context lasts."""
    (folder / "hook_key").write_text("a-long-random-key")
    (folder / "hook_key").chmod(0o600)
    with http_receiver() as works, http_receiver() as fails:
        fails.status = 500
        (folder / "alerts.yaml").write_text(CHANNELS.format(works=works.url("/"), fails=fails.url("/")))
        environment = loop.role_environment("monitor") | {
            "MONITOR_PORT": str(port),
            "MONITOR_ALERTS": str(folder / "alerts.yaml"),
            "MONITOR_ALERT_SECRETS": str(folder),
            "MONITOR_OUTPUT": str(folder / "output"),
        }
        command = (sys.executable, "-m", "monitoring")
        with (folder / "monitor.log").open("w") as log:
            process = subprocess.Popen(command, cwd=paths.ROOT, env=environment, stdout=log, stderr=log)
        try:
            _wait(f"http://127.0.0.1:{port}", process)
            yield Alerted(f"http://127.0.0.1:{port}", works, fails)
        finally:
            process.terminate()
            process.wait(SECONDS)


def _wait(site: str, process: "subprocess.Popen[bytes]") -> None:
    """Wait until the monitor answers."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if requests.get(f"{site}/readyz", timeout=SECONDS).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise AssertionError(f"The monitor at {site} does not answer (exit status {process.poll()}).")
