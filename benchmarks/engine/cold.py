"""From nothing to all numbers, a process each: 500,000 reference rows, then 1,000,000 rows in 100 chunks."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.engine.rows import write
from benchmarks.measuring import Aim, Better, conclude, machine, show, timed

REFERENCE, ANALYSIS, CHUNKS = 500_000, 1_000_000, 100
RUNS = 1
FASTER, LIGHTER = Aim(15, Better.HIGHER), Aim(0.5, Better.LOWER)
OURS, THEIRS = "driftline's engine", "NannyML"
WAYS = {OURS: "benchmarks.engine.ours", THEIRS: "benchmarks.engine.theirs"}


def run(module: str, path: Path, until: str, out: Path) -> dict[str, float]:
    """Run one way in a process of its own; its seconds by part, all its seconds, and its peak memory in MiB."""
    printed: list[str] = []
    command = [sys.executable, "-m", module, str(path), until, str(out)]
    whole = timed(lambda: printed.append(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    parts: dict[str, float] = json.loads(printed[0].splitlines()[-1])
    return {**parts, "whole": whole, "start": whole - parts["read"] - parts["compute"]}


def main() -> None:
    """Print the ratios."""
    print(f"{REFERENCE:,} reference rows and {ANALYSIS:,} rows in {CHUNKS} chunks ({machine()})", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        until = write(path, REFERENCE, ANALYSIS, CHUNKS)
        taken: dict[str, list[dict[str, float]]] = {name: [] for name in WAYS}
        for _ in range(RUNS):
            for name, module in WAYS.items():
                taken[name].append(run(module, path, until, Path(folder) / "found.json"))
    for part in ("start", "read", "compute", "whole"):
        print(f"  {part}:")
        show({name: [one[part] for one in runs] for name, runs in taken.items()})
    for part, question in (("compute", "faster to compute"), ("whole", "faster as a whole process, file to JSON")):
        ratio = median(one[part] for one in taken[THEIRS]) / median(one[part] for one in taken[OURS])
        conclude(f"times {question}", ratio, FASTER)
    memory = {name: median(one["peak"] for one in runs) for name, runs in taken.items()}
    conclude(f"peak memory ({memory[OURS]:,.0f} of {memory[THEIRS]:,.0f} MiB)", memory[OURS] / memory[THEIRS], LIGHTER)


if __name__ == "__main__":
    main()
