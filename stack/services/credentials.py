"""Generated passwords: files under var/secrets that only their owner can read."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from stack.services import private_file


@dataclass(frozen=True)
class Credentials:
    """The passwords of one folder; each is created on first use and stays."""

    folder: Path

    def password(self, account: str) -> str:
        """Return the password of an account: 43 letters, digits, - and _."""
        path = self.folder / f"{account}.password"
        if not path.exists():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            private_file.write(path, secrets.token_urlsafe(32).encode())
        return path.read_text()
