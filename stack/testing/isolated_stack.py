"""A complete stack in a var folder of its own, whose processes can be killed and whose results compared."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import requests
from sqlalchemy import Engine, Table, select

from stack import paths
from stack.servers import processes
from stack.services.environments import engine_for, settings_for
from stack.services.site import Site

COMMAND_SECONDS = 900
INSTANTS = (
    "written_at",
    "scored_at",
    "computed_at",
    "derived_at",
    "updated_at",
    "created_at",
    "started_at",
    "finished_at",
)
COUNTERS = ("number", "batch_number", "batches", "sequence", "revision")
INCIDENTAL_COLUMNS = frozenset((*INSTANTS, *COUNTERS, "code_version", "last_error", "current"))
"""Columns that depend on when and in which order something was computed, not on its result."""


@dataclass(frozen=True)
class IsolatedStack:
    """Runs the public commands with a var folder of their own.

    `external` are the settings of external servers to use instead of local ones; they must be empty.
    """

    var: Path
    external: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """This process's environment, pointed to the isolated's folders and to no other server."""
        servers = ("DB_", "KAFKA_", "MLFLOW_")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(servers)}
        outputs = {
            "EDA_OUTPUT": str(self.var / "eda"),
            "MONITOR_OUTPUT": str(self.var / "monitoring"),
            "DRIFTLINE_LINEAGE_FILE": str(self.lineage),
        }
        return inherited | outputs | {**self.external} | {"DRIFTLINE_VAR": str(self.var)}

    @property
    def lineage(self) -> Path:
        """The file of the events of lineage of all jobs and services."""
        return self.var / "lineage.jsonl"

    @property
    def site(self) -> Site:
        """The site that the commands work on."""
        return Site.at(self.var, self.environment)

    def stack(self, *arguments: str) -> str:
        """Run `python -m stack …` and return its output."""
        return self.run((sys.executable, "-m", "stack", *arguments), self.environment)

    def job(self, *arguments: str) -> str:
        """Run a Python program in the environment of the jobs and return its output."""
        return self.run((sys.executable, *arguments), self.role_environment("jobs"))

    def role_environment(self, role: str) -> dict[str, str]:
        """Return the environment of a service's programs."""
        return self.environment | settings_for(role, self.site)

    def run(self, command: tuple[str, ...], environment: Mapping[str, str]) -> str:
        """Run a command and return its output; raises `AssertionError` with the output if it fails."""
        completed = subprocess.run(
            command, cwd=paths.ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False, timeout=COMMAND_SECONDS,
        )  # fmt: skip
        if completed.returncode:
            raise AssertionError(f"{' '.join(command)} ended with {completed.returncode}:\n{completed.stdout}")
        return completed.stdout

    def kill(self, service: str) -> None:
        """Kill the process of a service, and wait for its end."""
        running = processes.find(self.site.home, service)
        if running is None:
            raise AssertionError(f"{service} does not run")
        os.kill(running.pid, signal.SIGKILL)
        running.ended_within(10)

    def call(self, service: str, method: str, path: str, body: object = None) -> requests.Response:
        """Send a request to a service."""
        return requests.request(method, f"http://127.0.0.1:{self.site.ports[service]}{path}", json=body, timeout=300)

    def engine(self, role: str = "owner") -> Engine:
        """Return an engine that connects as a service's database user."""
        return engine_for(role, self.site)

    def content(self, table: Table) -> pd.DataFrame:
        """Return the results in a table: current rows without `INCIDENTAL_COLUMNS`, ordered by primary key."""
        columns = [column for column in table.columns if column.name not in INCIDENTAL_COLUMNS]
        statement = select(*columns)
        if "current" in table.columns:
            statement = statement.where(table.c.current)
        with self.engine().connect() as connection:
            rows = connection.execute(statement)
            frame = pd.DataFrame(rows.all(), columns=list(rows.keys()))
        key = [column.name for column in table.primary_key if column.name in frame]
        return frame.sort_values(key, ignore_index=True)


def chunks(isolated: IsolatedStack) -> list[dict[str, Any]]:
    """Return all chunks of the churn model from the monitor's API."""
    answer = isolated.call("monitor", "GET", "/api/v1/models/churn/chunks")
    answer.raise_for_status()
    listed: list[dict[str, Any]] = answer.json()["chunks"]
    return listed
