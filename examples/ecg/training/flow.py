"""The nightly training for Prefect: the four steps with retries, an artifact of the comparison, and a schedule.

It runs in the environment of tools.lock; each step is a program in the project's environment, whose Python is
`ECG_PYTHON`. The schedule lasts as long as this program serves the flow.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_table_artifact

from examples.ecg.steps import COMPARISON, FLOW, SCHEDULE, run_step, steps

RETRIES, RETRY_SECONDS = 2, 10
ARTIFACT = "ecg-comparison"


def run(arguments: tuple[str, ...]) -> str:
    """Run a step and print what it printed."""
    output = run_step(os.environ["ECG_PYTHON"], arguments, os.environ)
    sys.stdout.write(f"{output}\n")
    return output


def train(objects: str, folder: str, mlflow: str) -> None:
    """Store, cut, compare and register; then show the comparison."""
    for name, arguments in steps(objects, Path(folder), mlflow).items():
        task(run, name=name, retries=RETRIES, retry_delay_seconds=RETRY_SECONDS, log_prints=True)(arguments)
    report = json.loads((Path(folder) / COMPARISON).read_text())
    create_table_artifact(
        key=ARTIFACT,
        table=comparison_rows(report),
        description=(
            f"Both models, tested on other blocks of time. McNemar's exact p = {report['paired_test']['p_value']:.3f}; "
            f"champion: {report['champion']}."
        ),
    )


def comparison_rows(report: dict[str, Any]) -> list[dict[str, str]]:
    """Return a row for each model, with its metrics and their standard errors."""
    return [
        {"model": name} | {metric: f"{each['value']:.4f} ± {each['error']:.4f}" for metric, each in measured.items()}
        for name, measured in report["measures"].items()
    ]


nightly = flow(train, name=FLOW)

if __name__ == "__main__":
    parameters = dict(zip(("objects", "folder", "mlflow"), sys.argv[1:], strict=True))
    nightly.serve(name=SCHEDULE, cron="0 3 * * *", parameters=parameters)
