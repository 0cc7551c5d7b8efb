"""Runs one variant as a separate process and measures its seconds or its peak memory."""

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
"""All univariate methods of NannyML."""
LOOK = 0.02
"""Seconds between two samples of a process's memory."""


@dataclass(frozen=True)
class Timing:
    """Seconds of a process in total, and of its reading and computation if it prints them."""

    total: float
    read: float = float("nan")
    compute: float = float("nan")


def run(command: Sequence[str]) -> Timing:
    """Run a command to its end; a failure raises an error with its output."""
    began = time.perf_counter()
    text = _output_of(command, lambda process: process.wait())
    total = time.perf_counter() - began
    last = text.splitlines()[-1] if text else ""
    return Timing(total, **(json.loads(last) if last.startswith("{") else {}))


def peak(command: Sequence[str]) -> float:
    """Run a command and return the peak memory of it and its forks, in MiB.

    The sum of their proportional set sizes (what several share is counted once), looked at every 20 ms: which slows it
    down, so this run is not for its seconds.
    """
    most = [0]

    def watch(process: subprocess.Popen[str]) -> None:
        while process.poll() is None:
            most.append(sum(map(_memory, _family(process.pid))))
            time.sleep(LOOK)

    _output_of(command, watch)
    return max(most) / 1024


def _output_of(command: Sequence[str], wait: Callable[[subprocess.Popen[str]], object]) -> str:
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=_environment(), text=True)
        wait(process)
        output.seek(0)
        text = output.read()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{text}")
    return text


def _environment() -> dict[str, str]:
    """Return an environment in which Python keeps compiled modules, so that each process need not compile them."""
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
    """Return the command of `driftline backtest` with all drift methods, one chunk per day, from the file to JSON."""
    spec = folder / "spec.yaml"
    spec.write_text(json.dumps(METHODS), encoding="utf-8")  # JSON is YAML
    roles = [f"--{role}={role}" for role in ("timestamp", "id", "label", "prediction", "score")]
    options = [f"--reference-until={until}", "--chunk=1d", f"--spec={spec}", f"--json={folder / 'driftline.json'}"]
    return (str(Path(sys.executable).with_name("driftline")), "backtest", str(path), *roles, *options)
