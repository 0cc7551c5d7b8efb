"""The demo: history, analysis, model, stream, predictions, monitoring and findings, with one line for each step."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from stack import paths
from stack.console import Advance, print_line, step
from stack.demo.client import MODEL, DemoClient
from stack.demo.healing import healing_steps, show_healing
from stack.demo.live import PAUSE_SECONDS, await_predictions, open_day_shown, scored_stream
from stack.demo.loaded_history import plan_for_loaded_history
from stack.demo.plan import Plan, Scenario
from stack.errors import StackError
from stack.services import lifecycle
from stack.services.environments import engine_for, environment_for
from stack.services.site import Site


def run(scenario: Scenario, *, any_port: bool = False, live: bool = False) -> None:
    """Run the demo and leave everything running; a second run ends with the same results, live or not."""
    site = lifecycle.up(any_port=any_port)
    plan = Plan.load_or_create(site.var / "demo.json", scenario, datetime.now(UTC))
    with step("Raw data into DP_CDR_Data, DailySummary"):
        _python(site, "simulator", "-m", "flaskapp.load_history", *plan.history_arguments)
    plan = _loaded(site, plan)
    for title, work in steps(site, plan, live=live):
        with step(title) as advance:
            work(advance)
    client = DemoClient.for_site(site)
    if scenario.retrain_day is None:
        client.show_findings(plan)
    else:
        show_healing(plan, client)
    for line in _addresses(site):
        print_line(line)


def steps(site: Site, plan: Plan, *, live: bool = False) -> list[tuple[str, Callable[[Advance], None]]]:
    """Return the demo's steps after the history is loaded, in order: title and function.

    In a `live` demo records are predicted as they arrive, and the batch job finds nothing left to predict.
    """
    history, streamed, client = plan.history_days, plan.streamed_days, DemoClient.for_site(site)
    if plan.scenario.retrain_day is not None:
        return healing_steps(plan, plan.scenario.retrain_day, client, partial(_python, site, "jobs"))
    return [
        ("Exploratory analysis, eda/output/", lambda _: _python(site, "eda", "-m", "eda")),
        ("Prepared data of the history", lambda _: _python(site, "jobs", "pyspark/prepare_data.py", *history)),
        ("Churn model and its frozen reference", lambda _: _python(site, "jobs", "pyspark/train_model.py", *history)),
        (
            f"Stream of {plan.scenario.stream_days} days",
            lambda advance: _stream_live(site, plan, advance) if live else client.stream(plan, advance),
        ),
        ("Prepared data of the streamed days", lambda _: _python(site, "jobs", "pyspark/prepare_data.py", *streamed)),
        (
            "Predictions of the streamed days",
            lambda _: _python(site, "jobs", "pyspark/write_predictions.py", *streamed),
        ),
        ("Monitoring of all that is pending", lambda _: client.compute()),
    ]


def _stream_live(site: Site, plan: Plan, advance: Advance) -> None:
    """Stream slowly, and score the records as they arrive."""
    client = DemoClient.for_site(site)
    print_line(f"    Watch the newest day grow: http://127.0.0.1:{site.ports['monitor']}/models/{MODEL}")
    with scored_stream(site) as process, open_day_shown(client, plan):
        client.stream(plan, advance, interval=PAUSE_SECONDS)
        await_predictions(site, plan, process)


def _loaded(site: Site, plan: Plan) -> Plan:
    """Adapt the plan to the loaded history and save it."""
    engine = engine_for("simulator", site)
    adapted = plan_for_loaded_history(plan, engine)
    engine.dispose()
    adapted.save(site.var / "demo.json")
    return adapted


def _python(site: Site, role: str, *arguments: str) -> None:
    """Run a Python program of the checkout, and print its lines as they come, indented."""
    command = (sys.executable, *arguments)
    program = subprocess.Popen(
        command, cwd=paths.ROOT, env=environment_for(role, site), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    lines = []
    with program:
        for line in program.stdout or ():
            lines.append(line.rstrip())
            print_line(f"    {lines[-1]}")
    if program.returncode:
        raise StackError(
            f"`{' '.join(arguments[:2])}` failed; its output is above, `make logs` shows that of the services."
        )


def _addresses(site: Site) -> Sequence[str]:
    return (
        f"Dashboard:      http://127.0.0.1:{site.ports['monitor']}/models/{MODEL}",
        f"Simulator:      http://127.0.0.1:{site.ports['simulator']}/stream",
        "Everything keeps running; `make status` shows it, `make down` stops it.",
    )
