"""`driftline token`: creates, lists and revokes tokens. Settings and tokens are imported when a command runs."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from driftline.clock import utc_now
from driftline.errors import InvalidInput
from driftline.http.authorization.scopes import Scope

if TYPE_CHECKING:
    from driftline.http.authorization.tokens import Token

token = typer.Typer(help="Manage the tokens of the web services, in the file DRIFTLINE_TOKENS.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the token: letters, digits, `_`, `-` and `.`.")]
Scopes = Annotated[list[Scope], typer.Option("--scope", help="Scope of the token; can be repeated.")]
Days = Annotated[
    int | None, typer.Option("--expires-in-days", min=1, max=36_500, help="Lifetime in days (default: no expiry).")
]


@token.command()
def create(name: Name, scope: Scopes, expires_in_days: Days = None) -> None:
    """Create a token and print it; only its hash is stored, so it cannot be shown again."""
    from driftline.http.authorization import tokens  # noqa: PLC0415  (so everywhere here: other commands need neither tokens nor settings)

    lifetime = timedelta(days=expires_in_days) if expires_in_days else None
    typer.echo(tokens.create(_token_file(), name, frozenset(scope), utc_now(), lifetime))
    typer.echo(f"Its hash is stored in {_token_file()}; save the token now, it cannot be shown again.", err=True)


@token.command("list")
def show() -> None:
    """List the name, scopes, creation time and expiry of each token, never the token itself."""
    from driftline.http.authorization import tokens  # noqa: PLC0415

    stored = tokens.read(_token_file())
    for entry in stored:
        typer.echo(_line(entry))
    if not stored:
        typer.echo("There are no tokens; create one with `driftline token create`.", err=True)


@token.command()
def revoke(name: Annotated[str, typer.Argument(help="Name of the token.")]) -> None:
    """Revoke a token; services refuse it from their next request on."""
    from driftline.http.authorization import tokens  # noqa: PLC0415

    tokens.revoke(_token_file(), name)
    typer.echo(f"Revoked {name}.", err=True)


def _line(entry: "Token") -> str:
    expiry = f"expires {entry.expires_at:%Y-%m-%d %H:%M %Z}" if entry.expires_at else "never expires"
    if not entry.is_valid(utc_now()):
        expiry = f"expired {entry.expires_at:%Y-%m-%d %H:%M %Z}"
    return f"{entry.name}  {','.join(sorted(entry.scopes))}  created {entry.created_at:%Y-%m-%d %H:%M %Z}  {expiry}"


def _token_file() -> Path:
    from driftline.settings import AccessSettings  # noqa: PLC0415

    file = AccessSettings().tokens
    if file is None:
        raise InvalidInput("DRIFTLINE_TOKENS is not set; set it to the token file, for example var/tokens/tokens.json.")
    return file
