"""The `driftline` command. What a command needs is imported when it runs: most need no database."""

import gc
import logging

import typer

from driftline import __version__
from driftline.backtesting.command import backtest
from driftline.errors import DriftlineError, MissingLibrary
from driftline.http.token_command import token

app = typer.Typer(help="Driftline: self-hosted model drift monitoring.", no_args_is_help=True, add_completion=False)
db = typer.Typer(help="The database's schema.", no_args_is_help=True)
app.add_typer(db, name="db")
app.add_typer(token, name="token")
app.command()(backtest)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


@db.command()
def upgrade() -> None:
    """Bring the schema to this version; needs the owner's DB_USER and DB_PASSWORD."""
    from driftline.settings import DatabaseSettings  # noqa: PLC0415
    from driftline.store import migrate  # noqa: PLC0415  (so are the next two: only this command needs a database)
    from driftline.store.database import make_engine  # noqa: PLC0415

    migrate.upgrade(make_engine(DatabaseSettings()))
    typer.echo("The schema is current.")


SERVER_LIBRARIES = frozenset({"alembic", "fsspec", "pydantic_settings", "pymysql", "sqlalchemy", "tenacity"})
"""What the extra `server` installs: commands for databases and tokens import it when they run."""
FAULT = 70
"""The exit status of what nobody expected: 1 is what `backtest --fail-on` says, and 70 is EX_SOFTWARE of sysexits.h."""


def main() -> None:
    """Run the command; an error of Driftline is one clear message and exit status 2, any other is logged and is 70."""
    from driftline import logs  # noqa: PLC0415

    logs.configure("cli")
    try:
        _run()
    except DriftlineError as error:
        typer.echo(f"Error: {error}", err=True)
        raise SystemExit(2) from error
    except Exception as error:
        logging.getLogger(__name__).exception("this is a fault of Driftline's, please report it")
        raise SystemExit(FAULT) from error
    finally:
        gc.freeze()  # all memory goes with the process; to look for garbage at its end takes 0.14 s after a large file


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
