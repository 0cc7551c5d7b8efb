"""Loads the history into `DP_CDR_Data`: `python -m flaskapp.load_history`.

The raw data file of `flaskapp/DataFile/` if there is one, else simulated days; then `DailySummary`. Run again, or
after a kill, it adds what is missing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from sqlalchemy import Engine

from churn import migrate
from driftline.clock import MAX_CLOCK_SKEW, utc_now
from driftline.settings import DatabaseSettings
from driftline.store.database import make_engine
from flaskapp.command import start
from flaskapp.history.loading import Loaded, load, summarize
from flaskapp.history.raw_file import check_file, file_batches
from flaskapp.history.simulated import SimulatedHistory
from flaskapp.raw import file as raw_file
from flaskapp.stream.request import DEFAULT_SEED


@contextmanager
def _progress(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on standard error, and take what is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(title, total=total)
        yield lambda done: bars.advance(task, done)


def load_file(engine: Engine, path: Path, now: datetime) -> Loaded:
    """Check a raw data file, all of it, then load it.

    Raises:
        InvalidInput: it has faults; nothing is loaded. Conflict: another history is there.
    """
    with _progress(f"Reading {path.name}", 3 * path.stat().st_size) as progress:
        span = check_file(path, now + MAX_CLOCK_SKEW, progress)
        return load(engine, span, file_batches(path, span, progress), now)


def load_simulated(engine: Engine, history: SimulatedHistory, now: datetime) -> Loaded:
    """Load simulated days.

    Raises:
        Conflict: another history is there.
    """
    with _progress("Simulating", history.days) as progress:
        return load(engine, history.span, history.batches(progress), now)


def main(
    days: Annotated[int, typer.Option(help="simulated days")] = 90,
    subscribers: Annotated[int, typer.Option(help="simulated subscribers")] = 1000,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="last day; default: yesterday")] = None,
    seed: Annotated[int, typer.Option(help="of the simulated world")] = DEFAULT_SEED,
    label_delay: Annotated[int, typer.Option(help="days until a simulated label is known")] = 3,
    folder: Annotated[Path, typer.Option(help="where RawData.csv or RawData.csv.gz may be")] = raw_file.FOLDER,
) -> None:
    """Load RawData.csv or RawData.csv.gz if it is there, else simulated days, and fill DailySummary."""
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
    typer.echo(f"DailySummary: {summarize(engine, loaded.span.first)} days")


def run() -> None:
    """Run the command; an error is one clear message and exit status 2."""
    start("load_history", main)


if __name__ == "__main__":
    run()
