"""The whole loop, a line a step: history, analysis, model, stream, predictions, monitoring, and what was found."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import requests
from sqlalchemy import func, select

from driftline.ledger import BatchKind
from driftline.tables import ledger
from stack import lifecycle, paths
from stack.console import Advance, say, show, step
from stack.environments import Role, engine_for, environment_for
from stack.errors import StackError
from stack.findings import Day, summary_of, table_of
from stack.plan import Plan, Scenario
from stack.site import Site

LABEL_DELAY_DAYS = 3
POLL_SECONDS = 0.5
STREAM_SECONDS = 900
MODEL = "churn"


def run(scenario: Scenario, *, any_port: bool = False) -> None:
    """Run the loop and leave everything running; run again, it ends in the same results."""
    site = lifecycle.up(any_port=any_port)
    plan = Plan.kept(site.var / "demo.json", scenario, datetime.now(UTC))
    with step("Raw data into DP_CDR_Data, DailySummary"):
        _load_history(site, plan)
    plan = _loaded(site, plan)
    for title, work in steps(site, plan):
        with step(title) as advance:
            work(advance)
    show_findings(site, plan)


def steps(site: Site, plan: Plan) -> list[tuple[str, Callable[[Advance], None]]]:
    """List what the demo does, in order, once the history is loaded."""
    history = ("--start-date", plan.history_first.isoformat(), "--end-date", plan.history_last.isoformat())
    streamed = ("--start-date", plan.stream_first.isoformat(), "--end-date", plan.stream_last.isoformat())
    return [
        ("Exploratory analysis, eda/output/", lambda _: _python(site, "jobs", "-m", "eda")),
        ("Prepared data of the history", lambda _: _python(site, "jobs", "pyspark/prepare_data.py", *history)),
        ("Churn model and its frozen reference", lambda _: _python(site, "jobs", "pyspark/train_model.py", *history)),
        (f"Stream of {plan.scenario.stream_days} days", lambda advance: _stream(site, plan, advance)),
        ("Prepared data of the streamed days", lambda _: _python(site, "jobs", "pyspark/prepare_data.py", *streamed)),
        (
            "Predictions of the streamed days",
            lambda _: _python(site, "jobs", "pyspark/write_predictions.py", *streamed),
        ),
        ("Monitoring of all that is pending", lambda _: _monitor(site)),
    ]


def _load_history(site: Site, plan: Plan) -> None:
    scenario = plan.scenario
    size = ("--days", str(scenario.history_days), "--subscribers", str(scenario.subscribers))
    world = ("--until", plan.history_last.isoformat(), "--seed", str(scenario.seed))
    _python(site, "simulator", "-m", "flaskapp.load_history", *size, *world)


def _loaded(site: Site, plan: Plan) -> Plan:
    """Follow the history that is there: that of a raw data file has days of its own."""
    engine = engine_for("simulator", site)
    first, last = (func.min(ledger.c.first_event), func.max(ledger.c.last_event))
    with engine.connect() as connection:
        span = connection.execute(select(first, last).where(ledger.c.kind == BatchKind.HISTORY)).one()
    engine.dispose()
    following = replace(plan, history_first=span[0].date(), history_last=span[1].date())
    following.keep(site.var / "demo.json")
    return following


def _python(site: Site, role: Role, *arguments: str) -> None:
    """Run a program of ours; its lines go to the terminal, indented, as they come."""
    command = (sys.executable, *arguments)
    program = subprocess.Popen(
        command, cwd=paths.ROOT, env=environment_for(role, site), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    lines = []
    with program:
        for line in program.stdout or ():
            lines.append(line.rstrip())
            say(f"    {lines[-1]}")
    if program.returncode:
        raise StackError(
            f"`{' '.join(arguments[:2])}` failed; what it said stands above, `make logs` shows the services'."
        )


def _stream(site: Site, plan: Plan, advance: Advance) -> None:
    answer = _call(site, "simulator", "POST", "/start_stream", plan.stream_request())
    say(f"    {answer['message']}")
    deadline = time.monotonic() + STREAM_SECONDS
    while time.monotonic() < deadline:
        stream = _call(site, "simulator", "GET", "/stream")
        advance(stream["batches_done"], stream["num_batches"])
        if stream["state"] == "finished":
            say(f"    {stream['records']:,} records")
            return
        if stream["state"] in ("failed", "stopped"):
            raise StackError(f"The stream {stream['state']}: {stream['last_error']}. See `make logs`.")
        time.sleep(POLL_SECONDS)
    raise StackError(f"The stream did not finish within {STREAM_SECONDS} s; `curl` GET /stream shows why.")


def _monitor(site: Site) -> None:
    answer = _call(site, "monitor", "POST", "/run-monitoring")
    say(f"    {json.dumps(answer)[:200]}")


def _call(site: Site, service: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Send a request to a service of ours; an error's own words are passed on."""
    answer = requests.request(method, f"http://127.0.0.1:{site.ports[service]}{path}", json=body, timeout=300)
    if not answer.ok:
        raise StackError(f"{method} {path} answered {answer.status_code}: {answer.text}")
    return answer.json()


def findings(site: Site, plan: Plan) -> list[Day]:
    """Ask the monitor for the streamed days' chunks."""
    span = f"from={plan.stream_first}T00:00:00Z&to={plan.stream_last}T23:59:59Z"
    answer = _call(site, "monitor", "GET", f"/models/{MODEL}/chunks?{span}")
    return [Day.of(chunk) for chunk in answer["chunks"]]


def show_findings(site: Site, plan: Plan) -> None:
    """Print the table of days, what was put in beside it, and where everything is."""
    days = findings(site, plan)
    show(table_of(days, plan))
    for line in (*summary_of(days, plan, LABEL_DELAY_DAYS), *_missing(site), *_addresses(site)):
        say(line)


def _missing(site: Site) -> list[str]:
    """Say in the monitor's words what is missing for a full answer, and when it will be there."""
    models = _call(site, "monitor", "GET", "/models")["models"]
    return [f"Missing:         {one['missing']} {one['to_do']}" for model in models for one in model["missing"]]


def _addresses(site: Site) -> Sequence[str]:
    return (
        f"Dashboard:      http://127.0.0.1:{site.ports['monitor']}/models/{MODEL}",
        f"Simulator:      http://127.0.0.1:{site.ports['simulator']}/stream",
        "Everything goes on running; `make status` shows it, `make down` stops it.",
    )
