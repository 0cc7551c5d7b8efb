"""`python -m stack.containers.secrets`: the secrets of the compose files, as files; what is there already stays.

A container's user has a number of its own, and a file that is mounted into it keeps its owner and rights. So the files
are readable by all, in a folder that only its owner can enter: nobody else on the machine gets at them, and a
container sees only those that are mounted into it.
"""

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from driftline.clock import utc_now
from driftline.http import tokens
from driftline.http.scopes import Scope
from stack import paths
from stack.console import print_line
from stack.services.accounts import ACCOUNTS
from stack.services.credentials import Credentials

FOLDER = paths.ROOT / "deploy" / "secrets"
DEMO = "demo"
"""The name of the token that drives the demo, and that is there for your own curl."""
SCOPES = frozenset({Scope.READ, Scope.OPERATE})


def main(arguments: Sequence[str]) -> int:
    """Make what is missing in the folder named, by default that of the compose files."""
    folder = Path(arguments[0]) if arguments else FOLDER
    make(folder, utc_now())
    print_line(f"Passwords, tokens and the token for curl (demo.token) are in {folder}.")
    return 0


def make(folder: Path, now: datetime) -> None:
    """Make the passwords of the database's users, the file of tokens, and one token; set everything's rights."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    for account in ("root", *ACCOUNTS):
        Credentials(folder).password(account)
    _make_token(folder / f"{DEMO}.token", token_file(folder), now)
    _open(folder)


def token_file(folder: Path) -> Path:
    """Where the hashed tokens are: in a folder of their own, since a folder is mounted, to see the file replaced."""
    return folder / "tokens" / "tokens.json"


def _make_token(plain: Path, hashed: Path, now: datetime) -> None:
    known = {token.name for token in tokens.read(hashed)} if hashed.exists() else set()
    if plain.exists() and DEMO in known:
        return
    if DEMO in known:
        tokens.revoke(hashed, DEMO)
    plain.write_text(tokens.create(hashed, DEMO, SCOPES, now))


def _open(folder: Path) -> None:
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
