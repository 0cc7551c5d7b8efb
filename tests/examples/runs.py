"""Runs of the Titanic example."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from stack import paths
from stack.testing.isolated_stack import IsolatedStack

CLOUD = paths.ROOT / "examples" / "titanic" / "cloud"
MINUTES = 5


@dataclass(frozen=True)
class Example:
    """The example's folder, its servers, and what its first run printed."""

    var: Path
    output: str

    @property
    def isolated(self) -> IsolatedStack:
        """The servers of the example."""
        return IsolatedStack(self.var / "stack")


def run_titanic(var: Path) -> str:
    """Run the example, which must end within its five minutes, and return its output."""
    command = (sys.executable, "-m", "examples.titanic", "--var", str(var), "--any-port")
    completed = subprocess.run(
        command, cwd=paths.ROOT, env=IsolatedStack(var / "stack").environment, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False, timeout=60 * MINUTES,
    )  # fmt: skip
    assert completed.returncode == 0, completed.stdout
    return completed.stdout
