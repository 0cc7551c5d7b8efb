"""Loads the history into `DP_CDR_Data`: `python -m flaskapp.load_history`.

It loads the raw data file in `flaskapp/DataFile/` if there is one, else simulated days, then fills `DailySummary`. Run
again, also after it was killed, it adds what is missing.
"""

from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import TaskProgressColumn, TimeElapsedColumn
from sqlalchemy import Engine

from churn import migrate
from driftline.clock import MAX_CLOCK_SKEW, utc_now
from driftline.settings import DatabaseSettings
from driftline.store.database import make_engine
from flaskapp.command import run_command
from flaskapp.history.loading import LoadedHistory, fill_daily_summary, load
from flaskapp.history.raw_file import file_batches, span_of
from flaskapp.history.simulated import SimulatedHistory
from flaskapp.progress import Progress, progress_bar
from flaskapp.raw import file as raw_file
from flaskapp.raw.check import check_file
from flaskapp.world.parameters import DEFAULT_SEED


def _progress(title: str, total: int) -> AbstractContextManager[Progress]:
    return progress_bar(title, total, TaskProgressColumn(), TimeElapsedColumn())


def load_file(engine: Engine, path: Path, now: datetime) -> LoadedHistory:
    """Check every line of a raw data file, then load it.

    Raises:
        InvalidInput: the file has faults; nothing is loaded. Conflict: another history covers the same days.
    """
    with _progress(f"Reading {path.name}", 3 * path.stat().st_size) as progress:
        span = span_of(check_file(path, now + MAX_CLOCK_SKEW, progress))
        return load(engine, span, file_batches(path, span, progress), now)


def load_simulated(engine: Engine, history: SimulatedHistory, now: datetime) -> LoadedHistory:
    """Load simulated days.

    Raises:
        Conflict: another history covers the same days.
    """
    with _progress("Simulating", history.days) as progress:
        return load(engine, history.span, history.batches(progress), now)


def main(
    days: Annotated[int, typer.Option(help="simulated days")] = 90,
    subscribers: Annotated[int, typer.Option(help="simulated subscribers")] = 1000,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="last day; default: yesterday")] = None,
    seed: Annotated[int, typer.Option(help="seed of the simulated world")] = DEFAULT_SEED,
    label_delay: Annotated[int, typer.Option(help="days until a simulated label is known")] = 3,
    folder: Annotated[Path, typer.Option(help="folder of RawData.csv or RawData.csv.gz")] = raw_file.FOLDER,
) -> None:
    """Load RawData.csv or RawData.csv.gz if there is one, else simulated days, and fill DailySummary."""
    now = utc_now()
    engine = make_engine(DatabaseSettings())
    migrate.require_current(engine)
    path = raw_file.find(folder)
    if path:
        loaded = load_file(engine, path, now)
    else:
        last = until.date() if until else now.date() - timedelta(days=1)
        loaded = load_simulated(engine, SimulatedHistory(days, subscribers, last, seed, label_delay), now)
    typer.echo(
        f"DP_CDR_Data: {loaded.records:,} records of {path or 'simulated days'}, {loaded.new:,} of them new, "
        f"{loaded.span.first:%Y-%m-%d} to {loaded.span.last:%Y-%m-%d}"
    )
    typer.echo(f"DailySummary: {fill_daily_summary(engine, loaded.span.first)} days")


def run() -> None:
    """Run the command; report an error in one message and exit with status 2."""
    run_command("load_history", main)


if __name__ == "__main__":
    run()
