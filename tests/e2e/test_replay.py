"""Run again, nothing changes; killed anywhere, the same tables stand at the end."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Table, func, select

from driftline import tables
from driftline.database import is_reachable, translated
from driftline.errors import Unavailable
from stack import paths
from stack.plan import Plan
from stack.rehearsal import Rehearsal, churn_predictions

COMPARED: tuple[Table, ...] = (
    tables.cdr, tables.processed, tables.labels, tables.chunk_revisions, tables.results, tables.verdicts, tables.ledger,
)  # fmt: skip
PATIENCE = 120


def contents(rehearsal: Rehearsal) -> dict[str, pd.DataFrame]:
    return {table.name: rehearsal.content(table) for table in (*COMPARED, churn_predictions())}


def eventually(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if true():
            return
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come within {PATIENCE} s")


def batches(rehearsal: Rehearsal, kind: str) -> int:
    statement = select(func.count()).where(tables.ledger.c.kind == kind)
    try:
        with translated(), rehearsal.engine().connect() as connection:
            return int(connection.execute(statement).scalar_one())
    except Unavailable:
        return 0


def killed_after(rehearsal: Rehearsal, kind: str, count: int, *job: str) -> None:
    """Start a job and kill it once it has written so many batches; its executors go with it."""
    running = subprocess.Popen(
        (sys.executable, *job), cwd=paths.ROOT, env=rehearsal.role_environment("jobs"), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    before = batches(rehearsal, kind)
    eventually(
        lambda: batches(rehearsal, kind) >= before + count or running.poll() is not None, f"{count} {kind} batches"
    )
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()


def streamed(rehearsal: Rehearsal) -> int:
    return int(rehearsal.call("simulator", "GET", "/stream").json()["batches_done"])


@pytest.fixture(scope="module")
def before(loop: Rehearsal) -> dict[str, pd.DataFrame]:
    """What stands after one undisturbed run."""
    loop.call("monitor", "POST", "/run-monitoring").raise_for_status()
    return contents(loop)


def assert_same(found: dict[str, pd.DataFrame], expected: dict[str, pd.DataFrame]) -> None:
    for name, frame in expected.items():
        pd.testing.assert_frame_equal(found[name], frame, obj=name)


def test_killed_on_the_way_the_same_tables_stand_at_the_end(
    loop: Rehearsal, plan: Plan, before: dict[str, pd.DataFrame], second: Rehearsal
) -> None:
    history = ("--start-date", str(plan.history_first), "--end-date", str(plan.history_last))
    stream = ("--start-date", str(plan.stream_first), "--end-date", str(plan.stream_last))
    second.var.mkdir(parents=True)
    second.stack("up", "--any-port")
    shutil.copy(loop.var / "demo.json", second.var / "demo.json")
    load_history(second, plan)
    killed_after(second, "processed", 3, "pyspark/prepare_data.py", *history)
    second.job("pyspark/prepare_data.py", *history)
    second.job("pyspark/train_model.py", *history)

    second.call("simulator", "POST", "/start_stream", plan.stream_request()).raise_for_status()
    eventually(lambda: batches(second, "records") >= 4, "4 batches of records")
    second.kill("simulator")
    second.stack("up")
    eventually(lambda: batches(second, "records") >= 12, "12 batches of records")
    second.kill("mariadb")
    second.kill("monitor")
    second.stack("up")
    eventually(lambda: is_reachable(second.engine()), "MariaDB")
    eventually(lambda: streamed(second) == plan.scenario.stream_days, "the last day of the stream")

    second.job("pyspark/prepare_data.py", *stream)
    killed_after(second, "predictions", 5, "pyspark/write_predictions.py", *stream)
    second.kill("monitor")
    second.job("pyspark/write_predictions.py", *stream)
    second.stack("up")
    eventually(lambda: not_pending(second), "an empty queue")
    second.call("monitor", "POST", "/run-monitoring").raise_for_status()
    assert_same(contents(second), before)


def load_history(rehearsal: Rehearsal, plan: Plan) -> None:
    size = ("--days", str(plan.scenario.history_days), "--subscribers", str(plan.scenario.subscribers))
    world = ("--until", str(plan.history_last), "--seed", str(plan.scenario.seed))
    command = (sys.executable, "-m", "flaskapp.load_history", *size, *world)
    rehearsal.run(command, rehearsal.role_environment("simulator"))


def not_pending(rehearsal: Rehearsal) -> bool:
    with rehearsal.engine().connect() as connection:
        return connection.execute(select(func.count()).select_from(tables.pending_batches)).scalar_one() == 0


def test_the_demo_run_again_changes_nothing(
    loop: Rehearsal, before: dict[str, pd.DataFrame], scenario_file: Path
) -> None:
    loop.stack("demo", "--any-port", "--scenario", str(scenario_file))
    after = contents(loop)
    labels_since = {name: after.pop(name) for name in ("Processed_Data", "ledger")}
    assert_same(after, {name: frame for name, frame in before.items() if name in after})
    prepared = labels_since["Processed_Data"].drop(columns="M_Tenure_Churn")
    pd.testing.assert_frame_equal(prepared, before["Processed_Data"].drop(columns="M_Tenure_Churn"))
