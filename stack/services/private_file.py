"""Files that only their owner can read, such as passwords and keys."""

import os
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """Write beside and rename: a kill leaves nothing half written, and who reads meanwhile has the old one whole."""
    staged = path.with_suffix(f".{os.getpid()}.partial")
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    staged.replace(path)
