"""Provides libaio.so.1 for MySQL 8.0.15: the system's, or one unpacked from its package without root."""

import ctypes
import shutil
import tempfile
from pathlib import Path

from stack.servers.mysql import LIBAIO
from stack.setup.debian.debian_packages import can_unpack, unpack
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
    if not can_unpack():
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
        unpacked = Path(scratch) / "unpacked"
        return unpack(package, unpacked) and _keep(unpacked)


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
