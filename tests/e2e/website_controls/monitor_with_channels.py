"""A second monitor of a running stack that sends alerts: a channel that works, and one that fails."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stack import paths
from stack.testing.isolated_stack import IsolatedStack
from tests.integration.monitoring.alerts.receivers import ReceivingServer, http_receiver
from tests.integration.programs import running

CHANNELS = """
attempts: 1
channels:
  works: {{type: webhook, url: "{works}", secret: hook_key, allow_internal: true}}
  fails: {{type: webhook, url: "{fails}", secret: hook_key, allow_internal: true}}
routes:
  - channels: [works, fails]
"""


@dataclass(frozen=True)
class Alerted:
    """The address of the monitor, and the servers behind its channels."""

    site: str
    works: ReceivingServer
    fails: ReceivingServer


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
        site, command = f"http://127.0.0.1:{port}", (sys.executable, "-m", "monitoring")
        with running(command, folder, "monitor", f"{site}/readyz", paths.ROOT, environment):
            yield Alerted(site, works, fails)
