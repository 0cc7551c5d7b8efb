"""Unpacks packages of Debian and Ubuntu without root: nothing is installed."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stack import paths
from stack.locks import exclusive_lock
from stack.setup.jars import staging


@dataclass(frozen=True)
class UnpackedPrograms:
    """Programs for tests, each by the package that has it: the system's, or those unpacked into a folder."""

    folder: Path
    packages: Mapping[str, str]

    def program(self, name: str) -> Path | None:
        """Return a program; None where it is missing."""
        unpacked = self.folder / "usr" / "bin" / name
        installed = shutil.which(name)
        return unpacked if unpacked.exists() else Path(installed) if installed else None

    def provide(self) -> bool:
        """Unpack the packages unless all programs are there, once for all processes; return whether they are now."""
        if self._is_complete():
            return True
        if not can_unpack():
            return False
        paths.BUILD.mkdir(exist_ok=True)
        with exclusive_lock(paths.BUILD / f"{self.folder.name}.lock"):
            if self._is_complete():
                return True
            staged = staging(self.folder)
            if not all(unpack(package, staged) for package in {*self.packages.values()}):
                shutil.rmtree(staged)
                return False
            shutil.rmtree(self.folder, ignore_errors=True)
            staged.rename(self.folder)
        return self._is_complete()

    @property
    def cure(self) -> str:
        """What to do where they are missing."""
        return f"install the packages {' and '.join(sorted({*self.packages.values()}))}"

    def _is_complete(self) -> bool:
        return all(self.program(name) for name in self.packages)


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
