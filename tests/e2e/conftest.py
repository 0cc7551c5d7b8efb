"""One small world, run through the public commands in peace, and killed on the way in other folders meanwhile.

The undisturbed run uses external servers if the environment names any (`stack.testing.external_servers`); the killed
runs always start their own.
"""

import json
import os
import random
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from datetime import date
from pathlib import Path

import pytest

from devtools.isolation.network_namespace import VARIABLE
from stack.demo.plan import Plan, PlannedDrift, Scenario
from stack.testing import external_servers
from stack.testing.isolated_stack import IsolatedStack
from tests.chaos.live_stack import StreamOutcome, live
from tests.e2e.killed_run import killed_run

os.environ.setdefault("MONITOR_RUN_WAIT_SECONDS", "600")  # a busy machine: no request to poll is answered with a link

SCENARIO = Scenario(
    history_days=60,
    stream_days=30,
    subscribers=500,
    last_day="2026-06-30",
    drifts=(
        PlannedDrift("unit", 60.0, first_day=8, last_day=12, column="DP_MOC_DURATION"),
        PlannedDrift("concept", 1.0, first_day=21, last_day=26),
    ),
)
"""Days 1 to 7 are clean, then minutes for seconds, 13 to 18 still look back on them, then only the truth changes."""
LIVE_KILLS = int(os.environ.get("LIVE_KILLS", "14"))
"""How many processes of the scored stream are killed; `make chaos` kills more."""
DAY_SECONDS = 1.0
"""The time between two days of that stream."""
BACKGROUND = ("disturbed", "killed_live")
"""The fixtures whose worlds run at the same time as the undisturbed one."""
FOLDER = Path(__file__).parent
LAST = (
    "website_controls/test_registration.py",
    "website_controls/test_model_page.py",
    "website_controls/test_model_tabs.py",
    "website_controls/test_overview.py",
    "website_controls/test_incidents.py",
    "website_controls/test_alerts.py",
    "website_controls/test_services.py",
    "website_controls/test_every_control.py",
    "test_without_network.py",
)
"""The files that build on those before them, in their order; the rest comes first."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the files of `LAST` in their order, after all others; a test that starts a killed world has the mark."""
    for item in items:
        if not {*BACKGROUND}.isdisjoint(getattr(item, "fixturenames", ())) and not item.get_closest_marker("kills"):
            raise pytest.UsageError(f"{item.nodeid} uses a world that is killed; mark it with `kills`.")
    places = {FOLDER / name: place for place, name in enumerate(LAST)}
    items.sort(key=lambda item: places.get(item.path, -1))


@pytest.fixture(scope="session")
def attempts() -> Path:
    """The log of attempts to connect to more than loopback."""
    if VARIABLE not in os.environ:
        pytest.skip("not run by `python -m devtools.isolation.network_namespace`, or the machine forbids it")
    return Path(os.environ[VARIABLE])


@pytest.fixture(scope="session")
def scenario_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scenario as the command reads it."""
    file = tmp_path_factory.mktemp("scenario") / "scenario.json"
    file.write_text(json.dumps(asdict(SCENARIO)))
    return file


def stopped_afterwards(isolated: IsolatedStack) -> Iterator[IsolatedStack]:
    """Yield the stack, and stop it afterwards whatever happens."""
    try:
        yield isolated
    finally:
        isolated.stack("down")


@pytest.fixture(scope="session")
def plan() -> Plan:
    """The days of both worlds: the scenario says its last one."""
    return Plan.ending(SCENARIO, date.max)


@pytest.fixture(scope="session")
def disturbed(tmp_path_factory: pytest.TempPathFactory, plan: Plan) -> Iterator["Future[IsolatedStack]"]:
    """The world killed on the way: it runs in the background, and is given when its stream has been judged."""
    for isolated in stopped_afterwards(IsolatedStack(tmp_path_factory.mktemp("disturbed") / "var")):
        with ThreadPoolExecutor(1) as pool:
            yield pool.submit(killed_run, isolated, plan)


@pytest.fixture(scope="session")
def killed_live(tmp_path_factory: pytest.TempPathFactory, plan: Plan) -> Iterator["Future[StreamOutcome]"]:
    """The world whose records are scored as they arrive while processes are killed, in the background too."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(killed_stream, tmp_path_factory.mktemp("live"), plan)


def killed_stream(folder: Path, plan: Plan) -> StreamOutcome:
    """Stream the plan's days, kill processes meanwhile, and return what stands at the end."""
    with live(folder, plan) as stack:
        stack.stream(LIVE_KILLS, random.Random(1), interval=DAY_SECONDS, restarts=0.5)
        return StreamOutcome.of(stack)


@pytest.fixture(scope="session")
def loop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, scenario_file: Path
) -> Iterator[IsolatedStack]:
    """The whole loop, run by `make demo`'s command; it runs until the last test has ended."""
    used = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    for name in BACKGROUND:
        if name in used:
            request.getfixturevalue(name)  # begun first, so that all worlds run at once
    for isolated in stopped_afterwards(
        IsolatedStack(tmp_path_factory.mktemp("loop") / "var", external_servers.settings())
    ):
        output = isolated.stack("demo", "--any-port", "--scenario", str(scenario_file))
        (isolated.var / "demo.txt").write_text(output)
        yield isolated
