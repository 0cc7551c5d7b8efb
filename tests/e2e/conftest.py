"""One small world, run through the public commands in peace, and killed on the way in a second folder meanwhile.

Servers that the environment gives to the tests (`stack.testing.given`) serve the undisturbed run; the killed run starts
its own.
"""

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from datetime import date
from pathlib import Path

import pytest

from stack.demo.plan import Plan, PlannedDrift, Scenario
from stack.testing import given
from stack.testing.rehearsal import Rehearsal
from tests.e2e.killed_run import killed_run

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


@pytest.fixture(scope="session")
def scenario_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scenario as the command reads it."""
    file = tmp_path_factory.mktemp("scenario") / "scenario.json"
    file.write_text(json.dumps(asdict(SCENARIO)))
    return file


def rehearsed(rehearsal: Rehearsal) -> Iterator[Rehearsal]:
    """Rehearse; whatever happens, nothing goes on running."""
    try:
        yield rehearsal
    finally:
        rehearsal.stack("down")


@pytest.fixture(scope="session")
def plan() -> Plan:
    """The days of both worlds: the scenario says its last one."""
    return Plan.ending(SCENARIO, date.max)


@pytest.fixture(scope="session")
def disturbed(tmp_path_factory: pytest.TempPathFactory, plan: Plan) -> Iterator["Future[Rehearsal]"]:
    """The world killed on the way: it runs in the background, and is given when its stream has been judged."""
    for rehearsal in rehearsed(Rehearsal(tmp_path_factory.mktemp("disturbed") / "var")):
        with ThreadPoolExecutor(1) as pool:
            yield pool.submit(killed_run, rehearsal, plan)


@pytest.fixture(scope="session")
def loop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, scenario_file: Path
) -> Iterator[Rehearsal]:
    """The whole loop, run by `make demo`'s command; it runs until the last test has ended."""
    if any("disturbed" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("disturbed")  # begun first, so that both worlds run at once
    for rehearsal in rehearsed(Rehearsal(tmp_path_factory.mktemp("loop") / "var", given.settings())):
        said = rehearsal.stack("demo", "--any-port", "--scenario", str(scenario_file))
        (rehearsal.var / "demo.txt").write_text(said)
        yield rehearsal
