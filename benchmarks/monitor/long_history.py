"""A poll after 50,000 new rows with ten million rows of history, against one million and NannyML's recomputation.

Every number of the history is computed by the poll itself. NannyML computes all chunks again; it is measured with less
history than that, and its seconds for all of it follow from the slope.
"""

import tempfile
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Engine

from benchmarks.durable import databases
from benchmarks.engine.driftline_process import spec_of
from benchmarks.engine.processes import run, script
from benchmarks.measuring import Better, RatioTarget, conclude, machine, show, times
from benchmarks.monitor.history import label_frame
from benchmarks.monitor.open_chunk import PollCost, poll
from driftline.engine.results import EVENT_TIME, ID, LABEL, PREDICTION, SCORE
from driftline.engine.spec import ModelClock
from driftline.objects import open_store
from driftline.store.database import in_transaction
from driftline.store.rows import labels
from driftline.store.rows.encoding.prediction_schema import MODEL_VERSION, SCORED_AT
from driftline.store.versions import registry

NAME = "long"
DAY = timedelta(days=1)
START = datetime(2025, 9, 1, tzinfo=UTC)
"""The first day of the history; the reference are the days before it."""
NOW = datetime(2026, 7, 1, tzinfo=UTC)
ROWS_A_DAY = 50_000
REFERENCE_DAYS, REFERENCE_ROWS_A_DAY = 20, 5_000
LABEL_DELAY = 3
TEXTS = 5
CATEGORIES = np.array([f"kind {n}" for n in range(12)])
RUNS, UNMEASURED = 5, 2
CHEAPER, NO_SLOWER = RatioTarget(100, Better.HIGHER), RatioTarget(1.2, Better.LOWER)
MEMORY = RatioTarget(1_000, Better.LOWER)


def scored_day(features: int, day: datetime, rows: int) -> pd.DataFrame:
    """Return the scored rows of one day with their label; five of the features are texts."""
    rng = np.random.default_rng(day.toordinal())
    score = rng.beta(1, 5, rows)
    outputs = {
        EVENT_TIME: pd.Timestamp(day).as_unit("us") + pd.to_timedelta(rng.integers(0, 86_400, rows), unit="s"),
        ID: [f"{day:%Y%m%d}/{row:06}" for row in range(rows)],
        MODEL_VERSION: 1,
        SCORED_AT: pd.Timestamp(day + DAY).as_unit("us"),
        PREDICTION: (score > 0.3).astype(int),
        SCORE: score,
        LABEL: (rng.random(rows) < score).astype(int),
    }
    numbers = {f"number_{n}": rng.gamma(2.0, 100.0, rows).round(2) for n in range(features - TEXTS)}
    texts = {f"category_{n}": rng.choice(CATEGORIES, rows) for n in range(TEXTS)}
    return pd.DataFrame({**outputs, **numbers, **texts})


def reference(features: int) -> pd.DataFrame:
    """Return the rows of the days before the history."""
    days = [START - n * DAY for n in range(REFERENCE_DAYS, 0, -1)]
    return pd.concat([scored_day(features, day, REFERENCE_ROWS_A_DAY) for day in days], ignore_index=True)


@dataclass
class LongHistory:
    """A model with days of rows, all of them polled, and the labels of all but the newest three days."""

    engine: Engine
    version: registry.Version
    features: int
    first_day: datetime = START
    next_day: datetime = START

    @classmethod
    def make(
        cls, engine: Engine, objects: Path, features: int, days: int, first_day: datetime = START
    ) -> "LongHistory":
        """Register a model and write and poll its history."""
        frame = reference(features)
        spec = spec_of(list(map(str, frame))).model_copy(
            update={"clock": ModelClock.DATA, "label_delay": LABEL_DELAY * DAY}
        )
        registry.register(engine, registry.Candidate(NAME, spec, "0" * 64, frame, None, {}), open_store(objects), NOW)
        history = cls(engine, registry.load(engine, NAME), features, first_day, first_day)
        for _ in range(days):
            history.add_day()
            history.add_labels()
        poll(engine, f"all {days * ROWS_A_DAY:,} rows")
        return history

    def add_day(self) -> None:
        """Write the rows of the next day."""
        day, store = self.next_day, self.version.store
        frame = scored_day(self.features, day, ROWS_A_DAY)
        in_transaction(self.engine, lambda connection: store.write(connection, f"rows/{day:%F}", frame, NOW))
        self.next_day = day + DAY

    def add_labels(self) -> None:
        """Write the labels that have become known by the newest day."""
        day, model = self.next_day - (LABEL_DELAY + 1) * DAY, self.version.model_number
        if day >= self.first_day:
            frame = label_frame(scored_day(self.features, day, ROWS_A_DAY), self.next_day)
            in_transaction(
                self.engine, lambda connection: labels.write_batch(connection, f"labels/{day:%F}", model, frame, NOW)
            )


Costs = dict[str, list[PollCost]]


def polls_after_days(histories: dict[str, LongHistory]) -> tuple[Costs, Costs]:
    """Return what polls cost after a new day and after its labels, alternately for each history."""
    of_rows: Costs = {name: [] for name in histories}
    of_labels: Costs = {name: [] for name in histories}
    for _ in range(UNMEASURED + RUNS):
        for name, history in histories.items():
            history.add_day()
            of_rows[name].append(poll(history.engine, f"{name}: {ROWS_A_DAY:,} new rows"))
            history.add_labels()
            of_labels[name].append(poll(history.engine, f"{name}: {ROWS_A_DAY:,} labels"))
    return of_rows, of_labels


def seconds_of(costs: Costs) -> dict[str, list[float]]:
    """Return the measured seconds by history."""
    return {name: [cost.seconds for cost in polls[UNMEASURED:]] for name, polls in costs.items()}


def nannyml_seconds(folder: Path, features: int, rows: int) -> float:
    """Return the seconds in which NannyML reads the reference and so many rows, and computes all their chunks."""
    path = folder / f"nannyml-{rows}.parquet"
    days = (scored_day(features, START + n * DAY, ROWS_A_DAY) for n in range(rows // ROWS_A_DAY))
    first = _table(reference(features))
    with pq.ParquetWriter(path, first.schema) as writer:
        writer.write_table(first)
        for day in days:
            writer.write_table(_table(day))
    timing = run(
        script("benchmarks.engine.nannyml_process", str(path), START.isoformat(), str(folder / "nannyml.json"))
    )
    path.unlink()
    seconds = timing.read + timing.compute
    print(f"  {f'NannyML, {rows:,} rows of history':<44} {seconds:8.1f} s", flush=True)
    return seconds


def _table(frame: pd.DataFrame) -> pa.Table:
    """Return rows under the names that the script for NannyML reads."""
    names = {EVENT_TIME: "timestamp", SCORE: "score"}
    return pa.Table.from_pandas(frame.rename(columns=names), preserve_index=False)


def compare_with_nannyml(folder: Path, options: Namespace, polls: list[float]) -> None:
    """Print how many times cheaper a poll is than NannyML's recomputation of the whole history."""
    few, many = options.nannyml
    seconds = [nannyml_seconds(folder, options.features, rows) for rows in (few, many)]
    slope = (seconds[1] - seconds[0]) / (many - few)
    expected = seconds[1] + slope * (options.rows - many)
    print(f"  NannyML: {slope * 1e6:.1f} s for each 1,000,000 rows; {expected:.0f} s for {options.rows:,}")
    conclude("NannyML's recomputation, times a poll", expected / median(polls), CHEAPER)


def main() -> None:
    """Measure and print the ratios."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=int, default=25)
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows of the long history")
    parser.add_argument("--short", type=int, default=1_000_000, help="rows of the short history")
    parser.add_argument("--nannyml", type=int, nargs=2, default=(1_000_000, 3_000_000), help="rows that it computes")
    options = parser.parse_args()
    if options.short < (LABEL_DELAY + 1) * ROWS_A_DAY:
        parser.error(f"--short {options.short} has no day with labels; give {(LABEL_DELAY + 1) * ROWS_A_DAY} or more")
    print(f"A poll after {ROWS_A_DAY:,} new rows with {options.features} features ({machine()})", flush=True)
    with tempfile.TemporaryDirectory(prefix="driftline-bench-") as folder, databases() as fresh:
        histories = {
            f"{rows:,}": LongHistory.make(fresh(), Path(folder) / str(rows), options.features, rows // ROWS_A_DAY)
            for rows in (options.rows, options.short)
        }
        of_rows, of_labels = polls_after_days(histories)
        for costs, news in ((of_rows, "rows"), (of_labels, "labels")):
            seconds = seconds_of(costs)
            show(seconds)
            conclude(f"a poll after {news}, times the short history's", times(*seconds.values()), NO_SLOWER)
        peak = max(cost.megabytes for costs in (of_rows, of_labels) for polls in costs.values() for cost in polls)
        conclude("the most memory of a poll, in MB", peak, MEMORY)
        compare_with_nannyml(Path(folder), options, next(iter(seconds_of(of_rows).values())))


if __name__ == "__main__":
    main()
