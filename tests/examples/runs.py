"""Runs of the examples."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from examples.processes import stop_all
from stack import paths
from stack.testing.isolated_stack import IsolatedStack

CLOUD, DSE = paths.ROOT / "examples" / "titanic" / "cloud", paths.ROOT / "examples" / "dse"
PASSENGER = {"sex": "female", "passenger_class": "1st", "embarked": None, "age": 30}
"""Features of the Titanic model."""
SECONDS = 1_800
"""A run takes one to four minutes; a busy machine may need more."""


@dataclass(frozen=True)
class Example:
    """The example's folder, its servers, and what its first run printed."""

    var: Path
    output: str

    @property
    def isolated(self) -> IsolatedStack:
        """The servers of the example."""
        return IsolatedStack(self.var / "stack")


def ran(name: str, var: Path, *options: str) -> Iterator[Example]:
    """Run an example, and remove its servers in the end."""
    example = Example(var, "")
    try:
        yield replace(example, output=run_example(name, var, *options))
    finally:
        stop_all(var / "processes")
        example.isolated.stack("clean")


def run_example(name: str, var: Path, *options: str, seconds: float = SECONDS) -> str:
    """Run an example and return its output; it may take some seconds."""
    command = (sys.executable, "-m", f"examples.{name}", "--var", str(var), "--any-port", *options)
    completed = subprocess.run(
        command, cwd=paths.ROOT, env=IsolatedStack(var / "stack").environment, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False, timeout=seconds,
    )  # fmt: skip
    assert completed.returncode == 0, completed.stdout
    return completed.stdout


def verdicts(output: str, year: str = "2024") -> list[tuple[str, str]]:
    """Return the start and the verdict of each chunk, as examples print them; `year` is a pattern."""
    return re.findall(rf"^({year}-\d\d-\d\d) +\d+  (\w+)", output, re.MULTILINE)
