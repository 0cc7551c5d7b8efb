"""The heartbeat example whole, as `make example NAME=ecg` runs it, and again."""

import json
import re
import subprocess
from datetime import date
from pathlib import Path

import requests

from examples.ecg.steps import FLOW, ROOT, SCHEDULE, SNAPSHOTS, XGBOOST
from examples.ecg.stream.days import BeatPlan
from examples.environments import environment
from stack.services.environments import settings_for
from tests.examples.runs import Example, run_example, verdicts

PLAN = BeatPlan()
SECONDS = 600
PAGE = Path(__file__).with_name("streamlit_page.py")


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


def test_prefect_ran_the_steps_and_has_a_schedule_and_the_comparison(ecg: Example) -> None:
    address = re.findall(r"^Prefect: (.*)/deployments$", ecg.output, re.MULTILINE)[0] + "/api"
    deployment = requests.get(f"{address}/deployments/name/{FLOW}/{SCHEDULE}", timeout=SECONDS).json()
    assert [schedule["schedule"]["cron"] for schedule in deployment["schedules"]] == ["0 3 * * *"]
    runs = requests.post(f"{address}/flow_runs/filter", json={}, timeout=SECONDS).json()
    assert "COMPLETED" in {run["state_type"] for run in runs}
    tasks = requests.post(f"{address}/task_runs/filter", json={}, timeout=SECONDS).json()
    assert {task["name"].rpartition("-")[0] for task in tasks} == {"store", "cut", "compare", "register"}
    assert {task["empirical_policy"]["retries"] for task in tasks} == {2}
    (artifact,) = requests.post(f"{address}/artifacts/latest/filter", json={}, timeout=SECONDS).json()
    assert {row["model"] for row in json.loads(artifact["data"])} == {XGBOOST, SNAPSHOTS}


def test_the_dashboard_shows_beats_both_models_and_verdicts(ecg: Example) -> None:
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": settings_for("jobs", ecg.isolated.site)["KAFKA_BOOTSTRAP_SERVERS"],
        "EXAMPLES_MONITOR": re.findall(r"^Dashboard: (http://[^/]+)/", ecg.output, re.MULTILINE)[0],
        "MLFLOW_TRACKING_URI": f"sqlite:///{ecg.var / 'ecg' / 'mlflow.db'}",
        "PYTHONPATH": str(ROOT),
    }
    python = environment("ecg", ROOT / "examples" / "ecg" / "tools.lock") / "python"
    command = (str(python), str(PAGE), str(ROOT / "examples" / "ecg" / "stream" / "dashboard.py"))
    completed = subprocess.run(
        command, cwd=ROOT, env=ecg.isolated.environment | settings, capture_output=True, text=True, check=False,
        timeout=SECONDS,
    )  # fmt: skip
    assert completed.returncode == 0, completed.stderr
    page = json.loads(completed.stdout)
    assert page["exceptions"] == []
    beats, models, verdicts_shown = page["tables"]
    assert beats[0]["beat"] == f"{PLAN.days[-1]}-{PLAN.beats - 1:04d}"
    assert {beat["prediction"] for beat in beats} <= {"A", "N", "V"}
    assert [(model["model"], model["role"]) for model in models] == [(XGBOOST, "champion"), (SNAPSHOTS, "")]
    assert re.fullmatch(r"0\.99\d\d ± 0\.00\d\d", models[0]["accuracy"])
    assert [(row["day"], row["verdict"]) for row in verdicts_shown] == verdicts(ecg.output)
    address = re.findall(r"^Streamlit: (.*)$", ecg.output, re.MULTILINE)[0]
    assert requests.get(f"{address}/_stcore/health", timeout=SECONDS).text == "ok"


def test_a_second_run_adds_nothing(ecg: Example) -> None:
    stored = stored_rows(ecg)
    assert stored == 2 * PLAN.streamed * PLAN.beats, "a prediction and a label for each beat"
    again = run_example("ecg", ecg.var)
    assert "\n0 beats sent.\n0 beats scored.\n" in again
    assert verdicts(again) == verdicts(ecg.output)
    assert stored_rows(ecg) == stored
