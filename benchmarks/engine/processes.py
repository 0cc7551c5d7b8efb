"""Runs one way as a process of its own: its seconds, and the most memory it had."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

METHODS = {
    "continuous_methods": ["jensen_shannon", "kolmogorov_smirnov", "wasserstein", "hellinger"],
    "categorical_methods": ["jensen_shannon", "chi2", "hellinger", "l_infinity"],
}
"""All univariate methods that NannyML has."""


@dataclass(frozen=True)
class Taken:
    """Seconds of a whole process, of its reading and computing where it prints them, and its peak memory in MiB."""

    whole: float
    peak: float
    read: float = float("nan")
    compute: float = float("nan")


def run(command: Sequence[str]) -> Taken:
    """Run a command to its end; a failure is an error that holds what it said."""
    with tempfile.TemporaryFile("w+") as said:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        whole = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{text}")
    last = text.splitlines()[-1] if text else ""
    return Taken(whole, usage.ru_maxrss / 1024, **(json.loads(last) if last.startswith("{") else {}))


def script(module: str, *arguments: str) -> tuple[str, ...]:
    """Give the command of one of the scripts here."""
    return (sys.executable, "-m", module, *arguments)


def backtest(path: Path, until: str, folder: Path) -> tuple[str, ...]:
    """Give the command of `driftline backtest` with all drift methods, a chunk a day, from the file to JSON."""
    spec = folder / "spec.yaml"
    spec.write_text(json.dumps(METHODS), encoding="utf-8")  # JSON is YAML
    roles = [f"--{role}={role}" for role in ("timestamp", "id", "label", "prediction", "score")]
    options = [f"--reference-until={until}", "--chunk=1d", f"--spec={spec}", f"--json={folder / 'ours.json'}"]
    return (str(Path(sys.executable).with_name("driftline")), "backtest", str(path), *roles, *options)
