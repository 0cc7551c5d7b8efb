"""The steps of a training, each a program: what the flow runs, and a person may. Standard library only."""

import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

MODEL, REGISTERED, CHAMPION = "ecg", "ecg_beats", "champion"
"""The monitored model, the model of MLflow's registry, and the alias of the version that is monitored."""
CLASSES = ("A", "N", "V")
"""Atrial premature, normal, ventricular premature; in the alphabet's order."""
SCORES = tuple(f"probability_{name}" for name in CLASSES)
AT, ID, PREDICTION, SYMBOL = "at", "id", "prediction", "symbol"
XGBOOST, SNAPSHOTS = "xgboost", "snapshot_ensemble"
"""The compared models; also the aliases of their versions in MLflow's registry."""
BEATS, SCORED = "ecg_beats", "ecg_scored"
"""The topic of beats, and the topic of what was predicted for them."""
FLOW, SCHEDULE = "ecg", "nightly"
"""The flow of Prefect and its deployment."""
COMPARISON, SUMMARY, REFERENCE = "comparison.json", "comparison.txt", "reference.csv"
SPEC = Path(__file__).with_name("spec.yaml")
ROOT = Path(__file__).resolve().parents[2]
LAST_CHARACTERS = 3_000


class StepFailed(Exception):
    """A step ended with an error; the message has the last lines of its output."""


def steps(objects: str, folder: Path, mlflow: str) -> Mapping[str, Sequence[str]]:
    """Return the arguments of Python for each step; a step that is repeated finds what it made."""
    scores = (part for name, column in zip(CLASSES, SCORES, strict=True) for part in ("--score", f"{name}={column}"))
    return {
        "store": ("-m", "examples.ecg.record.upload", objects),
        "cut": ("-m", "examples.ecg.record.etl", objects),
        "compare": ("-m", "examples.ecg.training.train", objects, str(folder), mlflow),
        "register": (
            "-m", "driftline", "models", "add", MODEL, str(folder / REFERENCE), "--timestamp", AT, "--id", ID,
            "--label", SYMBOL, *scores, "--prediction", PREDICTION, "--problem", "multiclass", "--spec", str(SPEC),
            "--mlflow", f"models:/{REGISTERED}@{CHAMPION}", "--yes",
        ),
    }  # fmt: skip


def run_step(python: str, arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """Run a step with the Python of the project's environment, and return what it printed.

    Raises:
        StepFailed: it ended with an error.
    """
    completed = subprocess.run(
        (python, *arguments), cwd=ROOT, env=dict(environment), capture_output=True, text=True, check=False
    )
    if completed.returncode:
        output = (completed.stdout + completed.stderr)[-LAST_CHARACTERS:]
        raise StepFailed(f"python {shlex.join(arguments)} ended with {completed.returncode}:\n{output}")
    return completed.stdout.strip()
