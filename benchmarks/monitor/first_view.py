"""The first view of the overview and of a model's page in Chromium, with 10,000,000 rows of history.

The browser has nothing in its cache. A page's cost follows from chunks and results, not from rows: with `--polled DAYS`
only the last days are written and polled, and the results of the days before are copies of theirs.
"""

import os
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import requests
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import Engine, insert, select

from benchmarks.durable import databases, settings_of
from benchmarks.measuring import Better, RatioTarget, conclude, machine
from benchmarks.monitor.long_history import DAY, LABEL_DELAY, NAME, ROWS_A_DAY, START, LongHistory
from devtools.documentation.screenshot import OPTIONS, browser
from driftline.clock import naive_utc
from driftline.store.tables import chunk_revisions, results, verdicts
from stack.servers.ports import any_free

VIEWS, UNMEASURED = 9, 1
MILLISECONDS, BYTES = RatioTarget(1_000, Better.LOWER), RatioTarget(1_000_000, Better.LOWER)
LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"


@dataclass(frozen=True)
class View:
    """A view of a page: the milliseconds from the start to the load event, and the bytes over the network."""

    milliseconds: float
    received: int


def copy_days(history: LongHistory, days: int) -> None:
    """Store results of the days from `START` on: copies of the polled days whose labels are in, one after the other."""
    labelled = (history.next_day - history.first_day) // DAY - LABEL_DELAY - 1
    key = history.version.key
    for table in (chunk_revisions, results, verdicts):
        with history.engine.begin() as connection:
            stored = [dict(row) for row in connection.execute(select(table).where(key.rows_of(table))).mappings()]
            for number in range(days):
                original = history.first_day + (number % labelled) * DAY
                rows = (row for row in stored if row["chunk_start"] == naive_utc(original))
                connection.execute(insert(table), [_moved(row, START + number * DAY - original) for row in rows])


def _moved(row: dict[str, Any], by: Any) -> dict[str, Any]:
    return row | {name: row[name] + by for name in ("chunk_start", "chunk_end") if name in row}


@contextmanager
def monitor_of(engine: Engine, output: Path) -> Iterator[str]:
    """Run a monitor of a database in a process of its own; yields its address."""
    port = any_free()
    environment = os.environ | settings_of(engine) | {"MONITOR_PORT": str(port), "MONITOR_OUTPUT": str(output)}
    process = subprocess.Popen((sys.executable, "-m", "monitoring"), env=environment, stderr=subprocess.DEVNULL)
    try:
        site = f"http://127.0.0.1:{port}"
        while process.poll() is None and not _answers(site):
            time.sleep(0.2)
        yield site
    finally:
        process.terminate()
        process.wait()


def _answers(site: str) -> bool:
    try:
        return requests.get(f"{site}/readyz", timeout=60).ok
    except requests.ConnectionError:
        return False


def view(chromium: Browser, address: str) -> View:
    """Look at a page with a browser that has nothing of it, and return what it took."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page, received = context.new_page(), [0]
    session = context.new_cdp_session(page)
    session.send("Network.enable")

    def count(event: dict[str, Any]) -> None:
        received[0] += int(event["encodedDataLength"])

    session.on("Network.loadingFinished", count)
    answer = page.goto(address, wait_until="load", timeout=120_000)
    if answer is None or not answer.ok:
        raise RuntimeError(f"{address} answers with {answer and answer.status}")
    page.wait_for_function(f"{LOADED} > 0")
    milliseconds = float(page.evaluate(LOADED))
    context.close()
    return View(milliseconds, received[0])


def measure(name: str, chromium: Browser, address: str) -> None:
    """Print the median of some views of a page, the range, and the targets."""
    views = [view(chromium, address) for _ in range(UNMEASURED + VIEWS)][UNMEASURED:]
    times = sorted(seen.milliseconds for seen in views)
    print(f"  {name}: {times[0]:.0f} to {times[-1]:.0f} ms in {VIEWS} first views", flush=True)
    conclude(f"{name}, milliseconds to its load event", median(times), MILLISECONDS)
    conclude(f"{name}, bytes", max(seen.received for seen in views), BYTES)


def main() -> None:
    """Build the history, and look at the pages."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=int, default=25)
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows of the history")
    parser.add_argument("--polled", type=int, help="days that are written and polled, at least 5 (default: all)")
    options = parser.parse_args()
    days = options.rows // ROWS_A_DAY
    polled = options.polled or days
    first: datetime = START + (days - polled) * DAY
    print(f"First views with {options.rows:,} rows of history, {days} days, {polled} of them polled ({machine()})")
    with tempfile.TemporaryDirectory(prefix="driftline-bench-") as folder, databases() as fresh:
        history = LongHistory.make(fresh(), Path(folder) / "objects", options.features, polled, first)
        copy_days(history, days - polled)
        with monitor_of(history.engine, Path(folder) / "output") as site, sync_playwright() as playwright:
            arguments = [*OPTIONS, "--no-sandbox"]
            chromium = playwright.chromium.launch(executable_path=browser(), args=arguments)
            chunks = requests.get(f"{site}/api/v1/models/{NAME}/chunks", params={"from": f"{START:%F}"}, timeout=600)
            assert len(chunks.json()["chunks"]) == days, chunks.text[:500]
            measure("the overview", chromium, f"{site}/")
            measure("the model's page", chromium, f"{site}/models/{NAME}")
            measure("the model's page, all days", chromium, f"{site}/models/{NAME}?from={START:%F}")
            chromium.close()
        print(f"  ({machine()})")


if __name__ == "__main__":
    main()
