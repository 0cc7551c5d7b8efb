"""Random schedules with kills end in what a plain model and one pass over the final data say.

`make soak` runs many; this file's default is a few. A fault is printed with the command that runs its schedule again.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from stack.servers import ports
from stack.testing.fixtures import DatabaseAddress
from tests.integration.soak.processes import all_processes
from tests.integration.soak.schedule import draw_schedule
from tests.integration.soak.soak import Soak
from tests.integration.soak.workers import Place

SCHEDULES = int(os.environ.get("SOAK_SCHEDULES", "2"))
KILLS = int(os.environ.get("SOAK_KILLS", "2"))
SEED = os.environ.get("SOAK_SEED") or ("1" if os.environ.get("CI") else str(random.SystemRandom().randrange(10**6)))
ONLY = os.environ.get("SOAK_ONLY")
"""The number of a single schedule to run."""


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    return mariadb


@pytest.fixture
def soak(engine: Engine, database: DatabaseAddress, tmp_path: Path) -> Iterator[Soak]:
    place = Place(database.environment(), tmp_path, ports.any_free())
    with all_processes(place) as processes:
        yield Soak(engine, place, processes)


@pytest.mark.kills
def test_schedules_with_kills_lose_and_double_nothing(soak: Soak, capfd: pytest.CaptureFixture[str]) -> None:
    kills = Counter(random.Random(SEED).choices(range(SCHEDULES), k=KILLS))
    numbers = range(SCHEDULES) if not ONLY else [int(ONLY)]
    began, faulty = time.monotonic(), []
    for number in numbers:
        faults = soak.run(draw_schedule(f"{SEED}/{number}", kills[number]))
        if faults:
            faulty.append(number)
            command = f"make soak seed={SEED} schedules={SCHEDULES} kills={KILLS} only={number}"
            _show(capfd, "\n  ".join((f"schedule {number} fails; run it again by `{command}`", *faults)))
        elif number % 10 == 9 or number == numbers[-1]:
            counts = ", ".join(f"{count:,} {name}" for name, count in soak.counts.items())
            _show(capfd, f"{time.monotonic() - began:.0f} s: {counts}, {len(faulty)} with faults")
    by_process = {name.value: process.kills for name, process in soak.processes.items()}
    _show(capfd, f"seed {SEED}, killed: {by_process}")
    assert faulty == []


def _show(capfd: pytest.CaptureFixture[str], text: str) -> None:
    """Print at once, not only after the test."""
    with capfd.disabled():
        print(text, flush=True)  # noqa: T201
