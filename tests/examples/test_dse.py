"""The index example whole, as `make example NAME=dse` runs it, and again; and its DAG, run by Airflow."""

import json
import os
import re
import subprocess
from datetime import date
from pathlib import Path

from examples.dse.__main__ import LAST, STREAM_FROM, TURBULENT_FROM
from examples.dse.index_file import read_index
from examples.dse.trading_calendar import TradingCalendar
from stack import paths
from stack.services.environments import settings_for
from tests.examples.runs import DSE, Example, run_example, verdicts

DAYS = [*TradingCalendar().trading_days(STREAM_FROM.date(), LAST)]
SECONDS = 1_800
YEARS = r"20\d\d"


def newest_batches(dse: Example) -> list[dict[str, object]]:
    """Return the entries of the monitor's ingest log."""
    answer = dse.isolated.call("monitor", "GET", "/api/v1/models/dse/ingest?most=100")
    entries: list[dict[str, object]] = answer.json()["entries"]
    return entries


def test_every_day_is_predicted_and_the_other_regime_is_found(dse: Example) -> None:
    assert len(re.findall(r"^\d{4}-\d\d-\d\d close .* up\)$", dse.output, re.MULTILINE)) == len(DAYS)
    verdict_days = verdicts(dse.output, YEARS)
    assert len(verdict_days) == 16
    before = {verdict for start, verdict in verdict_days if date.fromisoformat(start) < TURBULENT_FROM}
    assert "alert" not in before
    assert "alert" in {verdict for _, verdict in verdict_days}
    assert "Alert delivered: dse" in dse.output


def test_a_second_run_adds_nothing(dse: Example) -> None:
    stored = sum(int(str(entry["new"])) for entry in newest_batches(dse))
    assert stored == 2 * len(DAYS) - 1, "a prediction for each day, and a label for each but the last"
    assert verdicts(run_example("dse", dse.var), YEARS) == verdicts(dse.output, YEARS)
    assert sum(int(str(entry["new"])) for entry in newest_batches(dse)) == stored


def test_airflow_runs_the_daily_retrain(dse: Example, airflow_environment: Path, tmp_path: Path) -> None:
    jobs, owner = (settings_for(role, dse.isolated.site) for role in ("jobs", "owner"))
    stored = read_index(dse.var / "dse" / "training.csv")
    environment = {
        **dse.isolated.environment,
        **jobs,
        **owner,
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DSE / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "DSE_PYTHON": str(paths.VENV / "bin" / "python"),
        "DSE_CHECKOUT": str(paths.ROOT),
        "DSE_FOLDER": str(dse.var / "dse"),
        "PATH": f"{airflow_environment}{os.pathsep}{os.environ['PATH']}",
    }

    def airflow(*arguments: str) -> str:
        command = (str(airflow_environment / "airflow"), *arguments)
        completed = subprocess.run(
            command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False, timeout=SECONDS,
        )  # fmt: skip
        assert completed.returncode == 0, completed.stdout
        return completed.stdout

    airflow("db", "migrate")
    output = airflow("dags", "test", "dse_retrain", "2024-01-07T16:00:00+06:00")
    assert f"{len(DAYS):,} days added" in output
    assert len(read_index(dse.var / "dse" / "training.csv")) == len(stored) + len(DAYS)
    assert "Trained on" in output
    assert "dse: version 2 is registered." in output, "more days are another version"
    retrained = (dse.var / "dse" / "model.json").read_text()
    assert json.loads(retrained)["weights"]
    assert verdicts(run_example("dse", dse.var), YEARS) == verdicts(dse.output, YEARS), "the next run finds all days"
    assert (dse.var / "dse" / "model.json").read_text() == retrained
