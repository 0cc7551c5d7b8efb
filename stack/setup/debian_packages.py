"""Unpacks packages of Debian and Ubuntu without root: nothing is installed."""

import shutil
import subprocess
from pathlib import Path


def can_unpack() -> bool:
    """Return whether this machine has the programs that download and unpack packages."""
    return bool(shutil.which("apt-get") and shutil.which("dpkg-deb"))


def unpack(package: str, folder: Path) -> bool:
    """Download a package and unpack it into `folder`; return whether that worked."""
    downloads = folder.with_name(f".{folder.name}.{package}")
    shutil.rmtree(downloads, ignore_errors=True)
    downloads.mkdir(parents=True)
    try:
        if not _succeeds(("apt-get", "-qq", "download", package), downloads):
            return False
        debs = [str(deb) for deb in downloads.glob("*.deb")]
        return bool(debs) and _succeeds(("dpkg-deb", "-x", debs[0], str(folder)), downloads)
    finally:
        shutil.rmtree(downloads, ignore_errors=True)


def _succeeds(command: tuple[str, ...], folder: Path) -> bool:
    completed = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return completed.returncode == 0
