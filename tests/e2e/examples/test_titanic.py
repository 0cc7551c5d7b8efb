"""A short run of the Titanic example on servers of its own: the command that `make example NAME=titanic` runs."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.testing.isolated_stack import IsolatedStack
from tests.examples.runs import run_example, verdicts


@pytest.fixture
def var(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    IsolatedStack(tmp_path / "stack").stack("clean")


def test_emigrants_are_found_and_the_alert_arrives(var: Path) -> None:
    output = run_example("titanic", var, "--voyages", "8", "--emigrants-from", "3", seconds=500)
    assert "4,800 predictions served" in output
    by_day = dict(verdicts(output, "2012"))
    assert len(by_day) == 8
    assert {by_day[f"2012-{day}"] for day in ("04-30", "05-01", "05-02")} == {"ok"}
    assert "alert" in by_day.values()
    assert "passenger_class" in output
    assert "Alert delivered: titanic" in output
    folder = var / "titanic"
    rows = list(csv.DictReader((folder / "fairness.csv").read_text().splitlines()))
    assert {row["feature"] for row in rows} == {"sex", "passenger_class", "embarked"}
    recall = next(row for row in rows if (row["feature"], row["metric"]) == ("sex", "recall"))
    assert (recall["best"], recall["worst"], recall["certain"]) == ("female", "male", "True")
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")
    assert "survived" in (folder / "exploration.html").read_text()
