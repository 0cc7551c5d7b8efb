"""Provides libaio.so.1 for MySQL 8.0.15: the system's, or one unpacked from its package without root."""

import ctypes
import shutil
import subprocess
import tempfile
from pathlib import Path

from stack.servers.mysql import LIBAIO
from stack.setup.jars import staging

SONAME = "libaio.so.1"
PACKAGES = ("libaio1", "libaio1t64")
"""Debian 12 and Ubuntu 22.04; Debian 13 and Ubuntu 24.04."""


def reason_missing() -> str | None:
    """Return why MySQL cannot run on this machine, None if it can."""
    if (LIBAIO / SONAME).exists() or _is_installed():
        return None
    return f"MySQL 8.0.15 needs {SONAME}: install {' or '.join(PACKAGES)}, then run `make setup` again."


def fetch() -> bool:
    """Download the library from the system's packages unless it exists; return whether it exists now."""
    if reason_missing() is None:
        return True
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return False
    return any(_fetch_package(package) for package in PACKAGES)


def _is_installed() -> bool:
    try:
        ctypes.CDLL(SONAME)
    except OSError:
        return False
    return True


def _fetch_package(package: str) -> bool:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        debs = folder.glob("*.deb")
        if not _succeeds(("apt-get", "-qq", "download", package), folder):
            return False
        if not _succeeds(("dpkg-deb", "-x", str(next(debs)), "unpacked"), folder):
            return False
        return _keep(folder / "unpacked")


def _keep(unpacked: Path) -> bool:
    """Copy the library under the name that MySQL loads; the packages use different names."""
    libraries = [path for path in unpacked.rglob("libaio.so.1*") if path.is_file() and not path.is_symlink()]
    if not libraries:
        return False
    staged = staging(LIBAIO)
    shutil.copy(libraries[0], staged / SONAME)
    shutil.rmtree(LIBAIO, ignore_errors=True)
    staged.rename(LIBAIO)
    return True


def _succeeds(command: tuple[str, ...], folder: Path) -> bool:
    completed = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return completed.returncode == 0
