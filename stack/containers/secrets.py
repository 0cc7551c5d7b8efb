"""`python -m stack.containers.secrets`: creates the secrets of the compose files, as files; existing ones stay.

A container's user has a user id of its own, and a mounted file keeps its owner and mode. Therefore all users
may read the files, but only the owner may enter their folder: no other user of the machine can reach them, and a
container sees only the files that are mounted into it.
"""

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from driftline.clock import utc_now
from driftline.http.authorization import tokens
from driftline.http.authorization.scopes import Scope
from stack import paths
from stack.console import print_line
from stack.services.accounts import ACCOUNTS
from stack.services.credentials import Credentials

FOLDER = paths.ROOT / "deploy" / "secrets"
DEMO = "demo"
"""The name of the token that the demo uses, and that you can use with curl."""
ALERTS = "alerts"
"""The folder for the file of alert channels and their secrets, which people write."""
SCOPES = frozenset({Scope.READ, Scope.OPERATE})


def main(arguments: Sequence[str]) -> int:
    """Create the missing secrets in a folder, by default that of the compose files."""
    folder = Path(arguments[0]) if arguments else FOLDER
    make(folder, utc_now())
    print_line(f"{folder} has the passwords, the tokens, and a token for curl (demo.token).")
    return 0


def make(folder: Path, now: datetime) -> None:
    """Create the passwords of the database users, the file of token hashes and one token; set the mode of all files."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    for account in ("root", *ACCOUNTS):
        Credentials(folder).password(account)
    _make_token(folder / f"{DEMO}.token", token_file(folder), now)
    (folder / ALERTS).mkdir(exist_ok=True)
    _open(folder)


def token_file(folder: Path) -> Path:
    """Return the file of token hashes; its folder holds nothing else, since containers mount the folder."""
    return folder / "tokens" / "tokens.json"


def _make_token(plain: Path, hashed: Path, now: datetime) -> None:
    names = {token.name for token in tokens.read(hashed)} if hashed.exists() else set()
    if plain.exists() and DEMO in names:
        return
    if DEMO in names:
        tokens.revoke(hashed, DEMO)
    plain.write_text(tokens.create(hashed, DEMO, SCOPES, now))


def _open(folder: Path) -> None:
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
