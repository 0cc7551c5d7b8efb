"""A run of the loop in which jobs, services and MariaDB are killed on the way, and begun again by the same commands."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import cycle, islice

import requests
from sqlalchemy import Select, func, select

from driftline.errors import Unavailable
from driftline.store import tables
from driftline.store.database import translated
from stack import paths
from stack.demo.plan import Plan
from stack.testing.isolated_stack import IsolatedStack
from tests.reachable_database import is_reachable

KILLS = int(os.environ.get("KILLS", "1"))
"""How often more each of stream, predictions and monitoring is disturbed; more with `make test-kills times=5`."""
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
    _kill(isolated, "monitor")
    for _ in range(KILLS):
        _without_database(isolated, "pyspark/write_predictions.py", *stream)
    isolated.job("pyspark/write_predictions.py", *stream)
    isolated.stack("up")
    for victim in islice(cycle(("monitor", "mariadb")), 2 * KILLS):
        _poll_and_kill(isolated, victim)
    _eventually(lambda: not _pending(isolated), "an empty queue")
    isolated.call("monitor", "POST", "/run-monitoring").raise_for_status()
    return isolated


def _load_history(isolated: IsolatedStack, plan: Plan) -> None:
    size = ("--days", str(plan.scenario.history_days), "--subscribers", str(plan.scenario.subscribers))
    world = ("--until", str(plan.history_last), "--seed", str(plan.scenario.seed))
    command = (sys.executable, "-m", "flaskapp.load_history", *size, *world)
    isolated.run(command, isolated.role_environment("simulator"))


def _stream(isolated: IsolatedStack, plan: Plan) -> None:
    """Stream while servers and processes are killed, one after the other."""
    isolated.call("simulator", "POST", "/start_stream", plan.stream_request()).raise_for_status()
    _eventually(lambda: _batches(isolated, "records") >= 4, "4 batches of records")
    _kill(isolated, "simulator")
    isolated.stack("up")
    _eventually(lambda: _batches(isolated, "records") >= 12, "12 batches of records")
    _kill(isolated, "mariadb")
    _kill(isolated, "monitor")
    isolated.stack("up")
    for victim in islice(cycle(("kafka", "mariadb", "simulator")), KILLS):
        before = _batches(isolated, "records")
        _eventually(partial(_is_further, isolated, plan, before), "another batch of records")
        _kill(isolated, victim)
        isolated.stack("up")
    _eventually(lambda: is_reachable(isolated.engine()), "MariaDB")
    _eventually(lambda: _streamed(isolated) == plan.scenario.stream_days, "the last day of the stream")


def _is_further(isolated: IsolatedStack, plan: Plan, before: int) -> bool:
    """Return whether more batches of records were written than before, or all that the stream has."""
    return _batches(isolated, "records") > before or _streamed(isolated) == plan.scenario.stream_days


def _kill(isolated: IsolatedStack, victim: str) -> None:
    """Kill a service, and note it."""
    isolated.kill(victim)
    _note(isolated, victim)


def _note(isolated: IsolatedStack, victim: str) -> None:
    with (isolated.var / "kills.txt").open("a") as kills:
        kills.write(f"{victim}\n")


def _without_database(isolated: IsolatedStack, *job: str) -> None:
    """Start a job, and kill MariaDB once it has written another batch: the job says so in a message, and ends."""
    running = subprocess.Popen(
        (sys.executable, *job), cwd=paths.ROOT, env=isolated.role_environment("jobs"), start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    before = _batches(isolated, "predictions")
    _eventually(
        lambda: _batches(isolated, "predictions") > before or running.poll() is not None, "a batch of predictions"
    )
    _kill(isolated, "mariadb")
    output, _ = running.communicate(timeout=PATIENCE)
    assert running.returncode in (0, 2), output
    assert "Traceback" not in output, output
    isolated.stack("up")


def _poll_and_kill(isolated: IsolatedStack, victim: str) -> None:
    """Poll, kill a service once another chunk is stored, and start it again."""
    before = _revisions(isolated)
    with ThreadPoolExecutor(1) as pool:
        poll = pool.submit(_poll, isolated)
        _eventually(lambda: _revisions(isolated) > before or poll.done(), "another chunk")
        _kill(isolated, victim)
    isolated.stack("up")


def _poll(isolated: IsolatedStack) -> None:
    with suppress(requests.ConnectionError):  # the monitor is killed
        isolated.call("monitor", "POST", "/run-monitoring")


def _revisions(isolated: IsolatedStack) -> int:
    return _count(isolated, select(func.count()).select_from(tables.chunk_revisions))


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
    _note(isolated, job[0])


def _eventually(true: Callable[[], bool], condition: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if true():
            return
        time.sleep(0.02)
    raise AssertionError(f"{condition} did not come within {PATIENCE} s")


def _batches(isolated: IsolatedStack, kind: str) -> int:
    return _count(isolated, select(func.count()).where(tables.ledger.c.kind == kind))


def _count(isolated: IsolatedStack, statement: Select[tuple[int]]) -> int:
    """Return the number that a statement counts, 0 while MariaDB is away."""
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
