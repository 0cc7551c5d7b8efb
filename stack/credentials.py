"""Generated secrets: files under var/secrets that only their owner can read."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Credentials:
    """The passwords of one var folder; each is made when first asked for and kept."""

    folder: Path

    def password(self, account: str) -> str:
        """The password of an account: 43 characters of letters, digits, - and _."""
        path = self.folder / f"{account}.password"
        if not path.exists():
            self._make(path)
        return path.read_text()

    def _make(self, path: Path) -> None:
        """Write beside and rename: a kill leaves no empty secret."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        staged = path.with_suffix(f".{os.getpid()}.partial")
        descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            opened.write(secrets.token_urlsafe(32))
            opened.flush()
            os.fsync(opened.fileno())
        staged.replace(path)
