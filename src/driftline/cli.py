"""The `driftline` command."""

import typer

from driftline import __version__, logs, migrate
from driftline.database import make_engine
from driftline.errors import DriftlineError
from driftline.settings import DatabaseSettings

app = typer.Typer(help="Driftline: self-hosted model drift monitoring.", no_args_is_help=True, add_completion=False)
db = typer.Typer(help="The database's schema.", no_args_is_help=True)
app.add_typer(db, name="db")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


@db.command()
def upgrade() -> None:
    """Bring the schema to this version; needs the owner's DB_USER and DB_PASSWORD."""
    migrate.upgrade(make_engine(DatabaseSettings()))
    typer.echo("The schema is current.")


def main() -> None:
    """Run the command; an error of Driftline is one clear message and exit status 2."""
    logs.configure("cli")
    try:
        app()
    except DriftlineError as error:
        typer.echo(f"Error: {error}", err=True)
        raise SystemExit(2) from error
