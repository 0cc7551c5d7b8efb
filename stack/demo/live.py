"""The scored stream of a live demo: predictions while records arrive, instead of afterwards."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, func, select

from churn.columns import Cdr, Processed
from churn.tables import cdr, churn_predictions
from stack import paths
from stack.console import print_line
from stack.demo.client import DemoClient
from stack.demo.plan import Plan
from stack.errors import StackError
from stack.services.environments import engine_for, environment_for
from stack.services.site import Site

PAUSE_SECONDS = 4
"""Between two streamed days, so that the growth of a day can be watched."""
MICRO_BATCH = 250
"""Messages of a micro-batch: a day of the demo has four of them."""
LOOK_SECONDS = 2.0
PATIENCE_SECONDS = 600


@contextmanager
def scored_stream(site: Site) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `score_stream.py` with small micro-batches; its output is in the folder of logs. Stop it afterwards."""
    log = site.home.log("score-stream")
    environment = environment_for("jobs", site) | {"SPARK_STREAM_RECORDS": str(MICRO_BATCH)}
    command = (sys.executable, "pyspark/score_stream.py")
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=paths.ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


@contextmanager
def open_day_shown(client: DemoClient, plan: Plan) -> Iterator[None]:
    """Print how many predictions the newest day has in the monitor, whenever that changes."""
    ended = threading.Event()

    def show() -> None:
        last_day = None
        while not ended.wait(LOOK_SECONDS):
            newest = client.newest_day(plan)
            if newest and newest != last_day:
                last_day = newest
                print_line(f"    {newest[0]}: {newest[1]:,} predictions in the monitor")

    watcher = threading.Thread(target=show, name="open-day", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def await_predictions(site: Site, plan: Plan, process: "subprocess.Popen[bytes]") -> None:
    """Return when every streamed record has its prediction.

    Raises:
        StackError: the scored stream ended, or did not finish in time.
    """
    engine = engine_for("jobs", site)
    deadline = time.monotonic() + PATIENCE_SECONDS
    try:
        while (missing := _missing(engine, plan)) > 0:
            if process.poll() is not None or time.monotonic() > deadline:
                log = os.path.relpath(site.home.log("score-stream"))
                raise StackError(f"{missing:,} streamed records have no prediction; {log} says why.")
            time.sleep(LOOK_SECONDS)
    finally:
        engine.dispose()


def _missing(engine: Engine, plan: Plan) -> int:
    """Return how many streamed subscriber-days have no prediction yet: here a record is a subscriber-day."""
    predicted, recorded = churn_predictions.c[Processed.DATE], func.date(cdr.c[Cdr.DATE])
    days = plan.stream_first, plan.stream_last
    with engine.connect() as connection:
        records = connection.execute(select(func.count()).select_from(cdr).where(recorded.between(*days))).scalar_one()
        statement = select(func.count()).select_from(churn_predictions).where(predicted.between(*days))
        return int(records - connection.execute(statement).scalar_one())
