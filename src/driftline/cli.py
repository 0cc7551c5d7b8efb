"""The `driftline` command. Each command imports what it needs when it runs, since most need no database."""

import gc
import logging
from typing import Annotated

import typer

from driftline import __version__
from driftline.atlas.command import lineage
from driftline.backtesting.command import backtest
from driftline.errors import DriftlineError, MissingLibrary
from driftline.http.authorization.token_command import token
from driftline.ingest.files.command import ingest
from driftline.models.command import models
from driftline.report.command import report

app = typer.Typer(help="Driftline: self-hosted model drift monitoring.", no_args_is_help=True, add_completion=False)
db = typer.Typer(help="Manage the database: its tables, and the archive of its rows.", no_args_is_help=True)
app.add_typer(db, name="db")
app.add_typer(token, name="token")
app.add_typer(models, name="models")
app.add_typer(lineage, name="lineage")
app.command()(backtest)
app.command()(ingest)
app.command()(report)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


@db.command()
def upgrade() -> None:
    """Migrate the schema to this version; requires DB_USER and DB_PASSWORD of the schema's owner."""
    from driftline.settings import DatabaseSettings  # noqa: PLC0415
    from driftline.store import migrate  # noqa: PLC0415  (and the next import: only this command needs a database)
    from driftline.store.database import make_engine  # noqa: PLC0415

    migrate.upgrade(make_engine(DatabaseSettings()))
    typer.echo("The schema is up to date.")


@db.command()
def archive(
    model: Annotated[str | None, typer.Option(help="Name of the model (default: all that have a retention).")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what is due, and change nothing.")] = False,
    listed: Annotated[
        bool, typer.Option("--list", help="Print the objects as JSON lines, and change nothing.")
    ] = False,
) -> None:
    """Move rows that are older than their model's retention to Parquet objects, or remove them from there."""
    from driftline.store.archive.report import object_lines, plan_lines, summary_lines  # noqa: PLC0415
    from driftline.store.archive.run import Archive  # noqa: PLC0415  (and the import before: they need a database)

    archive_of_all = Archive.from_environment()
    if dry_run or listed:
        lines = object_lines(archive_of_all.stored(model)) if listed else plan_lines(archive_of_all.plans(model))
        for line in lines:
            typer.echo(line)
        return
    summary = archive_of_all.run(model)
    for line in summary_lines(summary):
        typer.echo(line)
    if summary.failures:
        raise typer.Exit(1)


SERVER_LIBRARIES = frozenset({"alembic", "fsspec", "pydantic_settings", "pymysql", "sqlalchemy", "tenacity"})
"""What the extra `server` installs: commands for databases and tokens import it when they run."""
UNEXPECTED_ERROR_STATUS = 70
"""The exit status after an unexpected error: EX_SOFTWARE of sysexits.h, distinct from the 1 of `backtest --fail-on`."""


LITTLE_MEMORY = "there is too little memory; free some, raise the limit (`ulimit -v`), or select fewer features"
_SIGNS_OF_LITTLE_MEMORY = ("failed to map segment", "cannot allocate memory", "can't start new thread")


def main() -> None:
    """Run the command line; exit with 2 after the message of a `DriftlineError`, with 70 after any other error."""
    from driftline import logs  # noqa: PLC0415

    logs.configure("cli")
    try:
        _run()
    except DriftlineError as error:
        typer.echo(f"Error: {error}", err=True)
        raise SystemExit(2) from error
    except Exception as error:
        if _lacks_memory(error):
            typer.echo(f"Error: {LITTLE_MEMORY} ({error}).", err=True)
            raise SystemExit(2) from error
        logging.getLogger(__name__).exception("unexpected error, please report it as a bug of Driftline")
        raise SystemExit(UNEXPECTED_ERROR_STATUS) from error
    finally:
        gc.freeze()  # the process ends anyway; a last garbage collection takes 0.14 s after a large file


def _lacks_memory(error: Exception) -> bool:
    """Return whether an error comes from a lack of memory, as libraries and the system report it."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(sign in text for sign in _SIGNS_OF_LITTLE_MEMORY)


def _run() -> None:
    """Run the command; where a library of the extra `server` is not installed, raise MissingLibrary."""
    try:
        app()
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library not in SERVER_LIBRARIES:
            raise
        msg = f"this command needs {library}, which is not installed; pip install 'driftline[server]'"
        raise MissingLibrary(msg) from error
