"""The heartbeat example whole, as `make example NAME=ecg` runs it, and again."""

import re
from datetime import date

from examples.ecg.days import Plan
from tests.examples.runs import Example, run_example

PLAN = Plan()


def verdicts(output: str) -> list[tuple[str, str]]:
    """Return the start and the verdict of each day."""
    return re.findall(r"^(2024-\d\d-\d\d) +\d+  (\w+)", output, re.MULTILINE)


def stored_rows(example: Example) -> int:
    """Return how many new rows the monitor's ingest log lists."""
    answer = example.isolated.call("monitor", "GET", "/api/v1/models/ecg/ingest?most=100")
    return sum(int(entry["new"]) for entry in answer.json()["entries"])


def test_every_beat_is_scored_and_the_other_gain_is_found(ecg: Example) -> None:
    beats = PLAN.streamed * PLAN.beats
    assert f"{beats:,} beats sent." in ecg.output
    assert f"{beats:,} beats scored." in ecg.output
    assert re.search(r"^xgboost: accuracy 0\.99\d\d ± ", ecg.output, re.MULTILINE)
    assert re.search(r"^snapshot_ensemble: accuracy (1\.0|0\.9)", ecg.output, re.MULTILINE)
    found = verdicts(ecg.output)
    assert len(found) == PLAN.streamed
    assert PLAN.drift_day
    assert "alert" not in {verdict for day, verdict in found if date.fromisoformat(day) <= PLAN.drift_day}
    assert "alert" in {verdict for _, verdict in found}
    assert "Alert delivered: ecg" in ecg.output


def test_a_second_run_adds_nothing(ecg: Example) -> None:
    stored = stored_rows(ecg)
    assert stored == 2 * PLAN.streamed * PLAN.beats, "a prediction and a label for each beat"
    again = run_example("ecg", ecg.var)
    assert "\n0 beats sent.\n0 beats scored.\n" in again
    assert verdicts(again) == verdicts(ecg.output)
    assert stored_rows(ecg) == stored
