"""Runs the simulator's commands: a Driftline error becomes one message and exit status 2."""

import sys
from collections.abc import Callable

import typer

from driftline import logs
from driftline.errors import DriftlineError

EXIT_STATUS = 2


def run_command(name: str, main: Callable[..., None]) -> None:
    """Run `main` with the command line's options; its log lines have the given name."""
    logs.configure(name)
    try:
        typer.run(main)
    except DriftlineError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(EXIT_STATUS)
