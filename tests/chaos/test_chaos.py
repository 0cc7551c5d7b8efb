"""Every process of the live path is killed at random while records stream: each record and prediction stands once.

`make chaos` runs it. A second stack streams the same days undisturbed, and both must end with the same records,
predictions and monitoring results.
"""

import json
import os
import random
from datetime import date
from pathlib import Path

import pytest

from stack import paths
from stack.demo.plan import Plan, Scenario
from tests.chaos.live_stack import StreamOutcome, live

RECORDS, KILLS = int(os.environ.get("CHAOS_RECORDS", "200000")), int(os.environ.get("CHAOS_KILLS", "200"))
SEED = int(os.environ.get("CHAOS_SEED", "1"))
SUBSCRIBERS = max(100, min(5_000, RECORDS // 10))
HISTORY_DAYS = 50
TRAINING = {"candidates": [{"trees": 3, "depth": 3}], "minimum_class_rows": 5}


@pytest.fixture(scope="module")
def plan() -> Plan:
    days = max(4, RECORDS // SUBSCRIBERS)
    scenario = Scenario(
        history_days=HISTORY_DAYS, stream_days=days, subscribers=SUBSCRIBERS, drifts=(), last_day="2026-10-31"
    )
    return Plan.ending(scenario, date.max)


def run(folder: Path, plan: Plan, kills: int) -> StreamOutcome:
    folder.mkdir()
    training = folder / "training.json"
    training.write_text(json.dumps(json.loads((paths.ROOT / "pyspark" / "training.json").read_text()) | TRAINING))
    with live(folder, plan, ("--training", str(training))) as stack:
        stack.stream(kills, random.Random(SEED))
        return StreamOutcome.of(stack)


def test_killed_at_random_everything_stands_once(tmp_path: Path, plan: Plan) -> None:
    undisturbed = run(tmp_path / "undisturbed", plan, 0)
    killed = run(tmp_path / "killed", plan, KILLS)
    print(killed.require_each_once(plan), f"(seed {SEED})")  # noqa: T201  # `make chaos` shows it
    killed.require_same(undisturbed)
