"""Run the example: store, cut, compare, register, stream, score, monitor, and show what the monitor found."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

from confluent_kafka import KafkaException, Producer
from mlflow.exceptions import MlflowException

from driftline import DriftlineError
from driftline.client import Monitor
from examples.ecg.models.registry import QUIET as QUIET_MLFLOW
from examples.ecg.models.registry import connected, load_champion
from examples.ecg.record.beats import Beats, read_beats, split
from examples.ecg.steps import BEATS, MODEL, ROOT, SCORED, SUMMARY, StepFailed, run_step, steps
from examples.ecg.stream.days import BEGIN, FIRST_DAY, LABELLED_AFTER, SHORT, BeatPlan, draw_days
from examples.ecg.stream.scoring import BeatScoring, score_stream
from examples.ecg.stream.streaming import QUIET, stream
from examples.ecg.training.prefect_runs import run_flow, start_prefect
from examples.entry_points import run_main
from examples.environments import environment
from examples.kafka_topics import create_topics
from examples.monitor_api import MONITOR_LOG, alert_delivered, call, poll, wait_for
from examples.object_store import start_object_store
from examples.processes import LOOPBACK, BackgroundProcess
from examples.run import servers_of_run
from examples.servers import CHANNEL, Servers, add_server_options, tell
from examples.verdicts import chunk_lines

TOOLS, DASHBOARD = (Path(__file__).parent / name for name in ("tools.lock", "stream/dashboard.py"))
PASSED = ("PATH", "DRIFTLINE_TOKEN")
STORED_SECONDS, ALERT_SECONDS, LABELS_SECONDS, START_SECONDS = 300, 120, 120, 300


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the example; again, it finds everything as it is and adds nothing."""
    options = _parser().parse_args(arguments)
    plan = SHORT if options.short else BeatPlan()
    plan = replace(plan, gain_from=None) if options.calm else plan
    data_options = {"calm": options.calm, "short": options.short}
    with servers_of_run(options, MODEL, data_options, ("monitor",), kafka=True) as servers:
        _run(servers, plan, pages=not options.short)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m examples.ecg", description=__doc__)
    add_server_options(parser)
    parser.add_argument("--calm", action="store_true", help="leave the sensor's gain as it is")
    parser.add_argument(
        "--short", action="store_true", help="stream 5 days, without Prefect and Streamlit, in a --var of its own"
    )
    return parser


def _run(servers: Servers, plan: BeatPlan, *, pages: bool) -> None:
    """Take all steps with servers that run; with `pages`, Prefect and Streamlit show them."""
    folder = servers.var / MODEL
    folder.mkdir(exist_ok=True)
    processes = servers.var / "processes"
    objects = start_object_store(servers, folder, processes)
    mlflow = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{folder / 'mlflow.db'}"
    servers = replace(servers, environment={**servers.environment, **objects.variables, "MLFLOW_TRACKING_URI": mlflow})
    if pages:
        programs = environment("ecg", TOOLS)
        prefect = start_prefect(programs, processes, servers.environment, (objects.address, str(folder), mlflow))
        run_flow(prefect)
        tell((folder / SUMMARY).read_text().rstrip())
    else:
        for arguments in steps(objects.address, folder, mlflow).values():
            tell(run_step(sys.executable, arguments, servers.environment))
    tell(f"Version {call(servers.monitor, f'/api/v1/models/{MODEL}')['version']} is monitored.")
    _, unseen = split(read_beats(objects.address, objects.options))
    create_topics(servers.kafka, BEATS, SCORED)
    if pages:
        tell(f"Prefect: {prefect}/deployments")
        tell(f"Streamlit: {_start_dashboard(servers, programs, processes)}")  # before the beats, to show them come
    tell(f"{stream(draw_days(unseen, plan, reference=False), servers.kafka):,} beats sent.")
    tell(f"{_score(servers, folder, mlflow):,} beats scored.")
    _send_labels(servers, folder, unseen, plan)
    rows = plan.streamed * plan.beats
    computed = partial(_computed, servers, rows)
    for line in chunk_lines(wait_for(computed, "The chunk of the last day", STORED_SECONDS, log=MONITOR_LOG)):
        tell(line)
    _show_end(servers, plan)


def _show_end(servers: Servers, plan: BeatPlan) -> None:
    if plan.drift_day:
        tell(f"The sensor's gain is {plan.gain} from {plan.drift_day} on.")
        if servers.hook_key:
            tell(f"Alert delivered: {alert_delivered(servers.monitor, CHANNEL, MODEL, ALERT_SECONDS)['headline']}")
    tell(f"Dashboard: {servers.monitor}/models/{MODEL}")


def _start_dashboard(servers: Servers, programs: Path, processes: Path) -> str:
    """Start the dashboard in Streamlit unless it runs, and return its address."""
    process = BackgroundProcess("streamlit", processes)
    command = (
        str(programs / "streamlit"), "run", str(DASHBOARD), "--server.headless", "true", "--server.address", LOOPBACK,
        "--server.port", str(process.port), "--browser.gatherUsageStats", "false", "--server.fileWatcherType", "none",
        "--client.toolbarMode", "viewer",
    )  # fmt: skip
    process.start(command, dashboard_settings(servers, processes.parent), ROOT)
    wait_for(lambda: process.listens, "The dashboard", START_SECONDS, process=process)
    return f"http://{LOOPBACK}:{process.port}"


def dashboard_settings(servers: Servers, home: Path) -> dict[str, str]:
    """Return the environment of the dashboard: addresses, and what the monitor and MLflow may need to let it in."""
    return {
        **{
            name: value
            for name, value in servers.environment.items()
            if name in PASSED or name.startswith("MLFLOW_TRACKING_")
        },
        "KAFKA_BOOTSTRAP_SERVERS": servers.kafka,
        "EXAMPLES_MONITOR": servers.monitor,
        "PYTHONPATH": str(ROOT),
        "HOME": str(home),
        **QUIET_MLFLOW,
    }


def _score(servers: Servers, folder: Path, mlflow: str) -> int:
    """Score what the topic has after the kept offset, with the champion."""
    with (
        tempfile.TemporaryDirectory() as files,
        connected(mlflow) as client,
        Monitor(servers.monitor, MODEL, spool=folder / "spool") as monitor,
    ):
        producer = Producer({"bootstrap.servers": servers.kafka, "enable.idempotence": True, **QUIET})
        return score_stream(BeatScoring(load_champion(client, Path(files)), monitor, producer), servers.kafka)


def _send_labels(servers: Servers, folder: Path, unseen: Beats, plan: BeatPlan) -> None:
    """Send the annotations of each day, known a day later.

    Raises:
        SystemExit: the monitor has not stored all of them.
    """
    with Monitor(servers.monitor, MODEL, spool=folder / "spool") as client:
        for day in draw_days(unseen, plan, reference=False):
            known_at = datetime.combine(day.instants[0].date(), BEGIN) + LABELLED_AFTER
            client.log_labels(dict(zip(day.ids, day.beats.symbols, strict=True)), known_at=known_at)
        if not client.flush(timeout=LABELS_SECONDS) or client.status().refused_batches:
            raise SystemExit(f"The monitor has not stored the labels: {client.status()}.")


def _computed(servers: Servers, rows: int) -> Any:
    """Poll, and return the chunks if all beats that were predicted are in them."""
    poll(servers.monitor)
    chunks = call(servers.monitor, f"/api/v1/models/{MODEL}/chunks", **{"from": f"{FIRST_DAY}"})["chunks"]
    return chunks if sum(chunk["rows"] for chunk in chunks) == rows else None


if __name__ == "__main__":
    failures = (KafkaException, MlflowException, RuntimeError, CalledProcessError, StepFailed)
    sys.exit(run_main(main, DriftlineError, *failures))
