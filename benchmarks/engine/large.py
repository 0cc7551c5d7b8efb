"""Ten million rows in one process: its memory, and whether its time is proportional to the rows."""

import tempfile
from pathlib import Path

from benchmarks.engine.processes import backtest, peak, run
from benchmarks.engine.rows import write
from benchmarks.measuring import Better, RatioTarget, conclude, machine

REFERENCE = 500_000
SIZES = {1_000_000: 100, 10_000_000: 1_000}
"""Rows of the analysis, and the number of chunks."""
MEMORY = RatioTarget(4096, Better.LOWER)


def main() -> None:
    """Print peak memory, and seconds per row with both sizes."""
    print(f"`driftline backtest`, {REFERENCE:,} reference rows ({machine()})", flush=True)
    rate: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for rows, chunks in SIZES.items():
            path = Path(folder) / f"{rows}.parquet"
            until = write(path, REFERENCE, rows, chunks)
            command = backtest(path, until, Path(folder))
            most, seconds = peak(command), run(command).total
            rate[rows] = seconds / (rows + REFERENCE)
            print(f"  {rows:>12,} rows in {chunks:>5,} chunks: {seconds:7.2f} s, peak {most:,.0f} MiB", flush=True)
            path.unlink()
    conclude("MiB at the most", most, MEMORY)
    small, large = rate
    conclude("seconds a row, times those of the small file", rate[large] / rate[small])


if __name__ == "__main__":
    main()
