"""A run of the loop in which jobs, services and MariaDB are killed on the way, and begun again by the same commands."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from sqlalchemy import func, select

from driftline.errors import Unavailable
from driftline.store import tables
from driftline.store.database import is_reachable, translated
from stack import paths
from stack.demo.plan import Plan
from stack.testing.rehearsal import Rehearsal

PATIENCE = 240
"""Seconds: another world runs on the same cores."""


def killed_run(rehearsal: Rehearsal, plan: Plan) -> Rehearsal:
    """Run the plan from an empty folder to the last verdict; give the rehearsal, still running."""
    history = ("--start-date", str(plan.history_first), "--end-date", str(plan.history_last))
    stream = ("--start-date", str(plan.stream_first), "--end-date", str(plan.stream_last))
    rehearsal.stack("up", "--any-port")
    _load_history(rehearsal, plan)
    _killed_after(rehearsal, "processed", 3, "pyspark/prepare_data.py", *history)
    rehearsal.job("pyspark/prepare_data.py", *history)
    rehearsal.job("pyspark/train_model.py", *history)
    _stream(rehearsal, plan)
    rehearsal.job("pyspark/prepare_data.py", *stream)
    _killed_after(rehearsal, "predictions", 5, "pyspark/write_predictions.py", *stream)
    rehearsal.kill("monitor")
    rehearsal.job("pyspark/write_predictions.py", *stream)
    rehearsal.stack("up")
    _eventually(lambda: not _pending(rehearsal), "an empty queue")
    rehearsal.call("monitor", "POST", "/run-monitoring").raise_for_status()
    return rehearsal


def _load_history(rehearsal: Rehearsal, plan: Plan) -> None:
    size = ("--days", str(plan.scenario.history_days), "--subscribers", str(plan.scenario.subscribers))
    world = ("--until", str(plan.history_last), "--seed", str(plan.scenario.seed))
    command = (sys.executable, "-m", "flaskapp.load_history", *size, *world)
    rehearsal.run(command, rehearsal.role_environment("simulator"))


def _stream(rehearsal: Rehearsal, plan: Plan) -> None:
    rehearsal.call("simulator", "POST", "/start_stream", plan.stream_request()).raise_for_status()
    _eventually(lambda: _batches(rehearsal, "records") >= 4, "4 batches of records")
    rehearsal.kill("simulator")
    rehearsal.stack("up")
    _eventually(lambda: _batches(rehearsal, "records") >= 12, "12 batches of records")
    rehearsal.kill("mariadb")
    rehearsal.kill("monitor")
    rehearsal.stack("up")
    _eventually(lambda: is_reachable(rehearsal.engine()), "MariaDB")
    _eventually(lambda: _streamed(rehearsal) == plan.scenario.stream_days, "the last day of the stream")


def _killed_after(rehearsal: Rehearsal, kind: str, count: int, *job: str) -> None:
    """Start a job and kill it once it has written so many batches; its executors go with it."""
    running = subprocess.Popen(
        (sys.executable, *job), cwd=paths.ROOT, env=rehearsal.role_environment("jobs"), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    before = _batches(rehearsal, kind)
    _eventually(
        lambda: _batches(rehearsal, kind) >= before + count or running.poll() is not None, f"{count} {kind} batches"
    )
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()


def _eventually(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if true():
            return
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come within {PATIENCE} s")


def _batches(rehearsal: Rehearsal, kind: str) -> int:
    statement = select(func.count()).where(tables.ledger.c.kind == kind)
    try:
        with translated(), rehearsal.engine().connect() as connection:
            return int(connection.execute(statement).scalar_one())
    except Unavailable:
        return 0


def _streamed(rehearsal: Rehearsal) -> int:
    return int(rehearsal.call("simulator", "GET", "/stream").json()["batches_done"])


def _pending(rehearsal: Rehearsal) -> bool:
    with rehearsal.engine().connect() as connection:
        return connection.execute(select(func.count()).select_from(tables.pending_batches)).scalar_one() > 0
