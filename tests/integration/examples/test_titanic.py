"""A short run of the Titanic example on servers of its own: the command that `make example NAME=titanic` runs."""

import csv
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack import paths
from stack.testing.isolated_stack import IsolatedStack


@pytest.fixture
def var(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    IsolatedStack(tmp_path / "stack").stack("clean")


def test_emigrants_are_found_and_the_alert_arrives(var: Path) -> None:
    command = ("-m", "examples.titanic", "--var", str(var), "--any-port", "--voyages", "8", "--emigrants-from", "3")
    environment = IsolatedStack(var / "stack").environment
    completed = subprocess.run(
        (sys.executable, *command), cwd=paths.ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False, timeout=500,
    )  # fmt: skip
    output = completed.stdout
    assert completed.returncode == 0, output
    assert "4,800 predictions served" in output
    verdicts = {line.split()[0]: line.split()[2] for line in output.splitlines() if line.startswith("2012-")}
    assert len(verdicts) == 8
    assert {verdicts[f"2012-{day}"] for day in ("04-30", "05-01", "05-02")} == {"ok"}
    assert "alert" in verdicts.values()
    assert "passenger_class" in output
    assert "Alert delivered: titanic" in output
    folder = var / "titanic"
    rows = list(csv.DictReader((folder / "fairness.csv").read_text().splitlines()))
    assert {row["feature"] for row in rows} == {"sex", "passenger_class", "embarked"}
    recall = next(row for row in rows if (row["feature"], row["metric"]) == ("sex", "recall"))
    assert (recall["best"], recall["worst"], recall["certain"]) == ("female", "male", "True")
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")
    assert "survived" in (folder / "exploration.html").read_text()
