"""Runs one way as a process of its own: its seconds, or the most memory it had."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

METHODS = {
    "continuous_methods": ["jensen_shannon", "kolmogorov_smirnov", "wasserstein", "hellinger"],
    "categorical_methods": ["jensen_shannon", "chi2", "hellinger", "l_infinity"],
}
"""All univariate methods that NannyML has."""
LOOK = 0.02
"""Seconds between two looks at a process's memory."""


@dataclass(frozen=True)
class Taken:
    """Seconds of a whole process, and of its reading and computing where it prints them."""

    whole: float
    read: float = float("nan")
    compute: float = float("nan")


def run(command: Sequence[str]) -> Taken:
    """Run a command to its end; a failure is an error that holds what it said."""
    began = time.perf_counter()
    text = _said(command, lambda process: process.wait())
    whole = time.perf_counter() - began
    last = text.splitlines()[-1] if text else ""
    return Taken(whole, **(json.loads(last) if last.startswith("{") else {}))


def peak(command: Sequence[str]) -> float:
    """Run a command and return the most memory that it has at a time, with the processes that it forks, in MiB.

    The sum of their proportional set sizes (what several share is counted once), looked at every 20 ms: which slows it
    down, so this run is not for its seconds.
    """
    most = [0]

    def watch(process: subprocess.Popen[str]) -> None:
        while process.poll() is None:
            most.append(sum(map(_memory, _family(process.pid))))
            time.sleep(LOOK)

    _said(command, watch)
    return max(most) / 1024


def _said(command: Sequence[str], wait: Callable[[subprocess.Popen[str]], object]) -> str:
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, env=_environment(), text=True)
        wait(process)
        said.seek(0)
        text = said.read()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{text}")
    return text


def _environment() -> dict[str, str]:
    """Let Python keep what it compiles: else every process compiles its libraries anew."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _family(pid: int) -> Iterator[int]:
    yield pid
    with suppress(FileNotFoundError, ProcessLookupError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                yield from _family(int(child))


def _memory(pid: int) -> int:
    """Return a process's proportional set size in KiB; 0 where it has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def script(module: str, *arguments: str) -> tuple[str, ...]:
    """Return the command of one of the scripts here."""
    return (sys.executable, "-m", module, *arguments)


def backtest(path: Path, until: str, folder: Path) -> tuple[str, ...]:
    """Return the command of `driftline backtest` with all drift methods, a chunk a day, from the file to JSON."""
    spec = folder / "spec.yaml"
    spec.write_text(json.dumps(METHODS), encoding="utf-8")  # JSON is YAML
    roles = [f"--{role}={role}" for role in ("timestamp", "id", "label", "prediction", "score")]
    options = [f"--reference-until={until}", "--chunk=1d", f"--spec={spec}", f"--json={folder / 'ours.json'}"]
    return (str(Path(sys.executable).with_name("driftline")), "backtest", str(path), *roles, *options)
