"""Peak memory of `driftline backtest` on wide files and on many chunks: rows, not chunks, are what it depends on.

python -m benchmarks.backtesting.wide_files [--only NAME] [--keep FOLDER]
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pc

BLOCK = 20_000
"""Rows that are drawn and written at a time: this program stays small."""
SEED = 0


@dataclass(frozen=True)
class WideFile:
    """A file, how it is cut, and the most memory in GB that one process may use for it."""

    name: str
    rows: int
    days: int
    numbers: int
    zero_inflated: int
    texts: int
    reference_days: int
    chunk: str
    target: float


CASES = (
    WideFile("300 features by the day", 200_000, 200, 200, 30, 70, 60, "1d", 1.5),
    WideFile("twice the rows by the day", 400_000, 400, 200, 30, 70, 60, "1d", 2.0),
    WideFile("five years by the hour", 2_000_000, 1_826, 2, 0, 1, 180, "1h", 1.0),
)
START = pd.Timestamp("2020-01-01")


def main() -> None:
    """Measure each case and print its peak memory beside the target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="the beginning of a case's name")
    parser.add_argument("--keep", type=Path, help="a folder for the files, which stay there")
    options = parser.parse_args()
    for case in (case for case in CASES if case.name.startswith(options.only or "")):
        with tempfile.TemporaryDirectory(dir=options.keep) as folder:
            path = Path(options.keep or folder) / f"{case.rows}-{case.numbers}-{case.chunk}.csv"
            if not path.exists():
                write(case, path)
            seconds, peak = run(case, path, Path(folder))
            met = "" if peak <= case.target else "  **falls short**"
            size = path.stat().st_size / 1e6
            figures = f"{size:,.0f} MB file, {seconds:.0f} s, peak {peak:.2f} GB of {case.target} GB"
            print(f"{case.name}: {figures}{met}", flush=True)


def write(case: WideFile, path: Path) -> None:
    """Write predictions of a calibrated model that never changes."""
    writer: pc.CSVWriter | None = None
    for block in blocks(case):
        table = pa.Table.from_pandas(block, preserve_index=False)
        writer = writer or pc.CSVWriter(str(path), table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


def blocks(case: WideFile) -> Iterator[pd.DataFrame]:
    """Yield the rows of a case in the order of time."""
    random = np.random.default_rng(SEED)
    step = pd.Timedelta(days=case.days) / case.rows
    for first in range(0, case.rows, BLOCK):
        rows = min(BLOCK, case.rows - first)
        score = 1 / (1 + np.exp(-1.5 * random.normal(size=rows)))
        columns: dict[str, object] = {"ts": START + step * np.arange(first, first + rows)}
        columns |= {f"n{i}": random.normal(size=rows) for i in range(case.numbers)}
        columns |= {
            f"z{i}": np.where(random.random(rows) < 0.8, 0, random.gamma(2, 3, rows)) for i in range(case.zero_inflated)
        }
        columns |= {f"c{i}": random.choice([f"v{k}" for k in range(5 + i)], rows) for i in range(case.texts)}
        yield pd.DataFrame(columns | {"score": score, "label": (random.random(rows) < score).astype(int)})


def run(case: WideFile, path: Path, folder: Path) -> tuple[float, float]:
    """Run the command; return its seconds and the peak resident memory in GB of its largest process."""
    until = (START + pd.Timedelta(days=case.reference_days)).date().isoformat()
    command = Path(sys.executable).with_name("driftline")
    words = [str(command), "backtest", str(path), "--timestamp", "ts", "--label", "label", "--score", "score"]
    words += ["--reference-until", until, "--chunk", case.chunk]
    words += ["--json", str(folder / "o.json"), "--html", str(folder / "o.html")]
    began = time.perf_counter()
    with Path(os.devnull).open("w") as null_device:
        actions = [(os.POSIX_SPAWN_DUP2, null_device.fileno(), descriptor) for descriptor in (1, 2)]
        process = os.posix_spawn(words[0], words, os.environ, file_actions=actions)
    _, status, usage = os.wait4(process, 0)
    if status:
        raise SystemExit(f"{case.name}: the command ended with status {status}")
    return time.perf_counter() - began, usage.ru_maxrss / 1e6


if __name__ == "__main__":
    main()
