"""The Titanic example whole, as `make example NAME=titanic` runs it, and again: it adds nothing."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.titanic.voyages import Plan
from stack import paths
from stack.testing.isolated_stack import IsolatedStack

PLAN = Plan()
MINUTES = 5


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("examples")
    yield folder
    IsolatedStack(folder / "stack").stack("clean")


def run(var: Path) -> str:
    """Run the example, which must end within its five minutes, and return its output."""
    command = (sys.executable, "-m", "examples.titanic", "--var", str(var), "--any-port")
    completed = subprocess.run(
        command, cwd=paths.ROOT, env=IsolatedStack(var / "stack").environment, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False, timeout=60 * MINUTES,
    )  # fmt: skip
    assert completed.returncode == 0, completed.stdout
    return completed.stdout


def verdicts(output: str) -> list[tuple[str, str]]:
    """Return the day and the verdict of each voyage."""
    return re.findall(r"^(2012-\d\d-\d\d) +\d+  (\w+)", output, re.MULTILINE)


def test_the_second_run_finds_what_the_first_has_stored(var: Path) -> None:
    first = run(var)
    found = verdicts(first)
    assert len(found) == PLAN.sailing
    assert PLAN.emigrants_from is not None
    assert "alert" not in {verdict for _, verdict in found[: PLAN.emigrants_from]}
    assert "alert" in {verdict for _, verdict in found[PLAN.emigrants_from : PLAN.emigrants_from + 3]}
    assert "Alert delivered: titanic" in first
    second = run(var)
    assert "titanic: version 1 is registered." in second
    assert verdicts(second) == found
    isolated = IsolatedStack(var / "stack")
    entries = isolated.call("monitor", "GET", "/api/v1/models/titanic/ingest").json()["entries"]
    stored = [entry["new"] for entry in entries if entry["state"] == "stored" and entry["kind"] == "predictions"]
    assert sum(stored) == PLAN.sailing * PLAN.passengers
