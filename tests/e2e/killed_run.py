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
from stack.testing.isolated_stack import IsolatedStack

PATIENCE = 240
"""Seconds: another world runs on the same cores."""


def killed_run(isolated: IsolatedStack, plan: Plan) -> IsolatedStack:
    """Run the plan from an empty folder to the last verdict; give the isolated, still running."""
    history = ("--start-date", str(plan.history_first), "--end-date", str(plan.history_last))
    stream = ("--start-date", str(plan.stream_first), "--end-date", str(plan.stream_last))
    isolated.stack("up", "--any-port")
    _load_history(isolated, plan)
    _killed_after(isolated, "processed", 3, "pyspark/prepare_data.py", *history)
    isolated.job("pyspark/prepare_data.py", *history)
    isolated.job("pyspark/train_model.py", *history)
    _stream(isolated, plan)
    isolated.job("pyspark/prepare_data.py", *stream)
    _killed_after(isolated, "predictions", 5, "pyspark/write_predictions.py", *stream)
    isolated.kill("monitor")
    isolated.job("pyspark/write_predictions.py", *stream)
    isolated.stack("up")
    _eventually(lambda: not _pending(isolated), "an empty queue")
    isolated.call("monitor", "POST", "/run-monitoring").raise_for_status()
    return isolated


def _load_history(isolated: IsolatedStack, plan: Plan) -> None:
    size = ("--days", str(plan.scenario.history_days), "--subscribers", str(plan.scenario.subscribers))
    world = ("--until", str(plan.history_last), "--seed", str(plan.scenario.seed))
    command = (sys.executable, "-m", "flaskapp.load_history", *size, *world)
    isolated.run(command, isolated.role_environment("simulator"))


def _stream(isolated: IsolatedStack, plan: Plan) -> None:
    isolated.call("simulator", "POST", "/start_stream", plan.stream_request()).raise_for_status()
    _eventually(lambda: _batches(isolated, "records") >= 4, "4 batches of records")
    isolated.kill("simulator")
    isolated.stack("up")
    _eventually(lambda: _batches(isolated, "records") >= 12, "12 batches of records")
    isolated.kill("mariadb")
    isolated.kill("monitor")
    isolated.stack("up")
    _eventually(lambda: is_reachable(isolated.engine()), "MariaDB")
    _eventually(lambda: _streamed(isolated) == plan.scenario.stream_days, "the last day of the stream")


def _killed_after(isolated: IsolatedStack, kind: str, count: int, *job: str) -> None:
    """Start a job and kill it once it has written so many batches; its executors go with it."""
    running = subprocess.Popen(
        (sys.executable, *job), cwd=paths.ROOT, env=isolated.role_environment("jobs"), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    before = _batches(isolated, kind)
    _eventually(
        lambda: _batches(isolated, kind) >= before + count or running.poll() is not None, f"{count} {kind} batches"
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


def _batches(isolated: IsolatedStack, kind: str) -> int:
    statement = select(func.count()).where(tables.ledger.c.kind == kind)
    try:
        with translated(), isolated.engine().connect() as connection:
            return int(connection.execute(statement).scalar_one())
    except Unavailable:
        return 0


def _streamed(isolated: IsolatedStack) -> int:
    return int(isolated.call("simulator", "GET", "/stream").json()["batches_done"])


def _pending(isolated: IsolatedStack) -> bool:
    with isolated.engine().connect() as connection:
        return connection.execute(select(func.count()).select_from(tables.pending_batches)).scalar_one() > 0
