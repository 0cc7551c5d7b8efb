"""Environments of programs whose libraries conflict with the project's, each made from its lock, in build/examples/."""

import hashlib
import subprocess
import sys
from pathlib import Path

from examples.servers import ROOT

BUILD = ROOT / "build"


def environment(name: str, *locks: Path) -> Path:
    """Return the folder of programs of an environment, which is made again when one of its locks has changed."""
    folder = BUILD / "examples" / name
    stamp, locked = folder / ".stamp", hashlib.sha256(b"".join(lock.read_bytes() for lock in locks)).hexdigest()
    if not stamp.exists() or stamp.read_text() != locked:
        uv = str(BUILD / "uv" / "bin" / "uv")
        subprocess.run((uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)), check=True)
        sync = (uv, "pip", "sync", "--quiet", "--python", str(folder / "bin" / "python"), "--require-hashes")
        subprocess.run((*sync, *map(str, locks)), check=True)
        stamp.write_text(locked)
    return folder / "bin"
