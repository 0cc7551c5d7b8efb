"""The servers that an example uses: named ones, or a stack of the examples' own, started by `python -m stack`."""

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VAR = ROOT / "var" / "examples"
CHANNEL, HOOK_KEY = "example", "hook_key"
"""The channel of alerts, and the file of the secret that signs them."""
LINEAGE_FILE = "DRIFTLINE_LINEAGE_FILE"
"""The variable that names the file of OpenLineage events: of the local stack one of the examples' folder."""
NO_STORED_ROWS = {"SERVING_MODEL": "", "SERVING_ROWS_TABLE": ""}
"""Serving without the model of call records and its table, which `python -m stack` names by default.

A value in the environment wins, as it does there.
"""


@dataclass(frozen=True)
class Servers:
    """Addresses of the services, a folder for files, and the environment of programs that register models.

    `hook_key` signs the alerts of a local monitor; servers that run already send none here.
    """

    monitor: str
    serving: str
    var: Path
    environment: Mapping[str, str] = field(repr=False)
    kafka: str = ""
    hook_key: bytes = field(default=b"", repr=False)

    def run(self, *command: str) -> str:
        """Run a Python program with the rights of the database's owner and return its output.

        Raises:
            SystemExit: it failed; the message is its output.
        """
        return _output(command, self.environment)


def add_server_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that every example has."""
    parser.add_argument("--var", type=Path, default=VAR, help="folder of servers and files (default: var/examples)")
    parser.add_argument("--any-port", action="store_true", help="use free ports instead of the default ones")


def start_servers(options: argparse.Namespace, roles: Sequence[str], *, alerts: str, kafka: bool = False) -> Servers:
    """Return the servers of EXAMPLES_MONITOR, EXAMPLES_SERVING and EXAMPLES_KAFKA, or start the local stack's.

    Of the local stack, those of some roles are started, and Kafka where `kafka` says so. `alerts` is the address to
    which the local monitor sends its alerts.

    Raises:
        SystemExit: EXAMPLES_MONITOR is set, and another address that is needed is not; or the local stack could not
            be started, and the message is its output.
    """
    var: Path = options.var.resolve()
    var.mkdir(parents=True, exist_ok=True)
    if os.environ.get("EXAMPLES_MONITOR"):
        _require_addresses(*(role.upper() for role in roles), *(["KAFKA"] if kafka else []))
        monitor, serving, brokers = (os.environ.get(f"EXAMPLES_{name}", "") for name in ("MONITOR", "SERVING", "KAFKA"))
        return Servers(monitor, serving, var, dict(os.environ), brokers)
    environment = {
        **NO_STORED_ROWS,
        **{name: value for name, value in os.environ.items() if not name.startswith(("DB_", "KAFKA_"))},
        **_alert_settings(var / "alerts", alerts),
        LINEAGE_FILE: os.environ.get(LINEAGE_FILE, str(var / "lineage.jsonl")),
        "DRIFTLINE_VAR": str(var / "stack"),
    }
    selection = [argument for role in roles for argument in ("--role", role)]
    switches = [*(["--kafka"] if kafka else []), *(["--any-port"] if options.any_port else [])]
    sys.stdout.write(_output(("-m", "stack", "up", *selection, *switches), environment))
    settings = _exported(environment, "serving", "jobs", "owner")
    return Servers(
        f"http://127.0.0.1:{settings['MONITOR_PORT']}",
        f"http://127.0.0.1:{settings['SERVING_PORT']}",
        var,
        environment | settings,
        settings["KAFKA_BOOTSTRAP_SERVERS"],
        (var / "alerts" / HOOK_KEY).read_bytes(),
    )


def _require_addresses(*names: str) -> None:
    missing = [f"EXAMPLES_{name}" for name in names if not os.environ.get(f"EXAMPLES_{name}")]
    if missing:
        raise SystemExit(
            f"EXAMPLES_MONITOR is set, so that no servers are started; set {' and '.join(missing)} to the address of a "
            "server that runs, or unset EXAMPLES_MONITOR."
        )


def tell(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _alert_settings(folder: Path, address: str) -> Mapping[str, str]:
    """Write the file of alert channels, and return the settings with which the monitor reads it."""
    folder.mkdir(exist_ok=True, mode=0o700)
    key = folder / HOOK_KEY
    if not key.exists():
        key.write_text(os.urandom(24).hex())
    (folder / "alerts.yaml").write_text(
        "back_fill_days: 100000 # the examples' events are in the past\n"
        "channels:\n"
        f"  {CHANNEL}: {{type: webhook, url: '{address}', secret: {HOOK_KEY}, allow_internal: true}}\n"
        "routes:\n"
        f"  - channels: [{CHANNEL}]\n"
    )
    return {"MONITOR_ALERTS": str(folder / "alerts.yaml"), "DRIFTLINE_SECRETS": str(folder)}


def _exported(environment: Mapping[str, str], *roles: str) -> dict[str, str]:
    """Return the settings that `python -m stack env` prints for some roles: the database's user is the last one's."""
    lines = _output(("-m", "stack", "env", *roles), environment).splitlines()
    pairs = (shlex.split(line.removeprefix("export "))[0] for line in lines)
    return dict(pair.split("=", 1) for pair in pairs)


def _output(command: Sequence[str], environment: Mapping[str, str]) -> str:
    completed = subprocess.run(
        (sys.executable, *command), cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False,
    )  # fmt: skip
    if completed.returncode:
        raise SystemExit(f"python {shlex.join(command)} ended with {completed.returncode}:\n{completed.stdout}")
    return completed.stdout
