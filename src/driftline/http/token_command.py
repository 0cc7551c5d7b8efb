"""`driftline token`: makes, lists and revokes the tokens of the web services. Settings are imported when it runs."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from driftline.clock import utc_now
from driftline.errors import InvalidInput
from driftline.http.scopes import Scope

if TYPE_CHECKING:
    from driftline.http.tokens import Token

token = typer.Typer(help="The tokens of the web services, in the file DRIFTLINE_TOKENS.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Whose token it is: letters, digits, `_`, `-` and `.`.")]
Scopes = Annotated[list[Scope], typer.Option("--scope", help="What it allows; may be given more than once.")]
Days = Annotated[int | None, typer.Option("--expires-in-days", min=1, max=36_500, help="For ever, if left out.")]


@token.command()
def create(name: Name, scope: Scopes, expires_in_days: Days = None) -> None:
    """Make a token and print it: only its hash is kept, so it cannot be shown again."""
    from driftline.http import tokens  # noqa: PLC0415  (so everywhere here: other commands need neither tokens nor settings)

    lasting = timedelta(days=expires_in_days) if expires_in_days else None
    made = tokens.create(_file(), name, frozenset(scope), utc_now(), lasting)
    typer.echo(made)
    typer.echo(f"Kept in {_file()} as its hash; keep the token itself now, it cannot be shown again.", err=True)


@token.command("list")
def show() -> None:
    """List the tokens: name, scopes, when made, until when; a token itself is nowhere to be read."""
    from driftline.http import tokens  # noqa: PLC0415

    kept = tokens.read(_file())
    for one in kept:
        typer.echo(_line(one))
    if not kept:
        typer.echo("There is no token; `driftline token create` makes one.", err=True)


@token.command()
def revoke(name: Annotated[str, typer.Argument(help="The token's name.")]) -> None:
    """Revoke a token: services refuse it from their next request on."""
    from driftline.http import tokens  # noqa: PLC0415

    tokens.revoke(_file(), name)
    typer.echo(f"{name} is revoked.", err=True)


def _line(one: "Token") -> str:
    until = f"until {one.expires_at:%Y-%m-%d %H:%M %Z}" if one.expires_at else "for ever"
    state = until if one.is_valid(utc_now()) else f"expired ({until})"
    return f"{one.name}  {','.join(sorted(one.scopes))}  made {one.created_at:%Y-%m-%d %H:%M %Z}  {state}"


def _file() -> Path:
    from driftline.settings import AccessSettings  # noqa: PLC0415

    file = AccessSettings().tokens
    if file is None:
        raise InvalidInput("Set DRIFTLINE_TOKENS to the file of tokens, for instance var/tokens/tokens.json.")
    return file
