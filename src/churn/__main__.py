"""`python -m churn`: commands of the example."""

import logging

import typer

from churn import migrate
from driftline import logs
from driftline.errors import DriftlineError
from driftline.settings import DatabaseSettings
from driftline.store.database import make_engine

app = typer.Typer(help="The example: call records and a churn model.", no_args_is_help=True, add_completion=False)

FAILED = 2


@app.callback()
def main() -> None:
    """Commands of the example; `upgrade` is one of them."""


@app.command()
def upgrade() -> None:
    """Create or upgrade all tables, the library's and the example's; needs the owner's DB_USER and DB_PASSWORD."""
    logs.configure("churn", logging.WARNING)
    try:
        migrate.upgrade(make_engine(DatabaseSettings()))
    except DriftlineError as error:
        typer.echo(f"Error: {error}", err=True)
        raise SystemExit(FAILED) from error
    typer.echo("The tables are current.")


if __name__ == "__main__":
    app()
