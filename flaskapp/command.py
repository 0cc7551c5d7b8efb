"""How the simulator's commands run: an error of Driftline is one clear message and exit status 2."""

import sys
from collections.abc import Callable

import typer

from driftline import logs
from driftline.errors import DriftlineError

FAILED = 2


def start(name: str, main: Callable[..., None]) -> None:
    """Run `main` with the options of the command line; `name` is what its log lines bear."""
    logs.configure(name)
    try:
        typer.run(main)
    except DriftlineError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(FAILED)
