"""Prefect's server and the flow that it schedules, in the background; and a run of the flow."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from examples.ecg.steps import FLOW, ROOT, SCHEDULE
from examples.monitor_api import RequestRefused, request_json, wait_for
from examples.processes import LOOPBACK, BackgroundProcess

START_SECONDS, RUN_SECONDS = 900, 1_800
ENDED = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})


def start_prefect(programs: Path, processes: Path, environment: Mapping[str, str], parameters: tuple[str, ...]) -> str:
    """Start the server and the program that serves the flow, unless they run; return the server's address."""
    server, runner = BackgroundProcess("prefect", processes), BackgroundProcess("prefect-flow", processes)
    address = f"http://{LOOPBACK}:{server.port}"
    settings = {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(processes.parent),
        "PREFECT_HOME": str(processes.parent / "prefect"),
        "PREFECT_API_URL": f"{address}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    serve = (str(programs / "prefect"), "server", "start", "--host", LOOPBACK, "--port", str(server.port))
    server.start(serve, settings, ROOT)
    wait_for(lambda: _answer(address, "/api/health"), "Prefect's server", START_SECONDS, process=server)
    of_steps = {"PYTHONPATH": str(ROOT), "ECG_PYTHON": sys.executable, "PREFECT_RUNNER_POLL_FREQUENCY": "2"}
    serve_flow = (str(programs / "python"), "-m", "examples.ecg.training.flow", *parameters)
    runner.start(serve_flow, {**environment, **settings, **of_steps}, ROOT)
    wait_for(lambda: _answer(address, _deployment_path()), "The flow", START_SECONDS, process=runner)
    return address


def run_flow(address: str) -> None:
    """Run the flow now, and wait for its end.

    Raises:
        SystemExit: it did not complete.
    """
    deployment = wait_for(lambda: _answer(address, _deployment_path()), "The deployment", START_SECONDS)
    created, body = f"/api/deployments/{deployment['id']}/create_flow_run", {"idempotency_key": uuid4().hex}
    run = wait_for(lambda: _answer(address, created, method="POST", body=body), "The run", START_SECONDS)
    ended = wait_for(lambda: _ended(address, run["id"]), f"The end of the run {run['name']}", RUN_SECONDS)
    if ended["state_type"] != "COMPLETED":
        raise SystemExit(f"The run {run['name']} is {ended['state_name']}; see {address}/runs/flow-run/{run['id']}")


def _deployment_path() -> str:
    return f"/api/deployments/name/{FLOW}/{SCHEDULE}"


def _ended(address: str, run: str) -> Any:
    state = _answer(address, f"/api/flow_runs/{run}")
    return state if state and state["state_type"] in ENDED else None


def _answer(address: str, path: str, *, method: str = "GET", body: object = None) -> Any:
    """Return what the server answers; None while it does not, or is too busy, as its database is for one writer."""
    try:
        return request_json(address, path, method=method, body=body)
    except (OSError, RequestRefused):
        return None
