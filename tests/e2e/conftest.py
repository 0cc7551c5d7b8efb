"""One small world, run once through the public commands, for all the end-to-end tests."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from stack.plan import Plan, PlannedDrift, Scenario
from stack.rehearsal import Rehearsal

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


def rehearsal_in(folder: Path) -> Iterator[Rehearsal]:
    """Rehearse in a folder; whatever happens, nothing goes on running."""
    rehearsal = Rehearsal(folder)
    try:
        yield rehearsal
    finally:
        rehearsal.stack("down")


@pytest.fixture(scope="session")
def loop(tmp_path_factory: pytest.TempPathFactory, scenario_file: Path) -> Iterator[Rehearsal]:
    """The whole loop, run by `make demo`'s command; it runs until the last test has ended."""
    for rehearsal in rehearsal_in(tmp_path_factory.mktemp("loop") / "var"):
        said = rehearsal.stack("demo", "--any-port", "--scenario", str(scenario_file))
        (rehearsal.var / "demo.txt").write_text(said)
        yield rehearsal


@pytest.fixture(scope="session")
def plan(loop: Rehearsal) -> Plan:
    """The days of the loop."""
    stored = json.loads((loop.var / "demo.json").read_text())
    return Plan.of(stored)


@pytest.fixture(scope="session")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """Another var folder, with nothing in it yet."""
    yield from rehearsal_in(tmp_path_factory.mktemp("second") / "var")
