"""The virtual environment .venv: exactly the packages of one lock file of requirements/, and the project.

Standard library only.
"""

import hashlib
import os
import shutil
import ssl
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from stack import paths
from stack.errors import DownloadFailed
from stack.setup.prerequisites import PYTHONS

UV = paths.BUILD / "uv"
PYTHON = paths.VENV / "bin" / "python"
BOOTSTRAP_LOCK = paths.REQUIREMENTS / "bootstrap.lock"
DEV_LOCK, MONITOR_LOCK = (paths.REQUIREMENTS / name for name in ("dev.lock", "monitor-local.lock"))
UNFINISHED = paths.VENV / ".unfinished"
"""Exists while packages are being installed; after an interruption the environment is created again."""


@dataclass(frozen=True)
class InstallStep:
    """One step of the installation from a file; done if its stamp contains the hash of the file."""

    title: str
    source: Path
    stamp: Path

    def is_done(self) -> bool:
        """Return whether the present file has been installed."""
        return self.stamp.exists() and self.stamp.read_text() == _hash(self.source)

    def finish(self) -> None:
        """Record that the present file has been installed."""
        self.stamp.write_text(_hash(self.source))


INSTALLER = InstallStep("uv", BOOTSTRAP_LOCK, UV / ".stamp")
PACKAGES = InstallStep("Python packages", DEV_LOCK, paths.VENV / ".packages.stamp")
MONITOR_PACKAGES = replace(PACKAGES, source=MONITOR_LOCK)
"""The packages for running the monitor alone; those for development include them."""
PROJECT = InstallStep("The driftline command", paths.ROOT / "pyproject.toml", paths.VENV / ".project.stamp")


def forget_another_python() -> None:
    """Mark .venv for another installation if PYTHON requests another version of Python."""
    if os.environ.get("PYTHON") and PACKAGES.stamp.exists() and _version() != sys.version_info[:2]:
        UNFINISHED.touch()
        PACKAGES.stamp.unlink()


def install_uv() -> None:
    """Create a small environment with the pinned uv, which pip downloads and verifies."""
    shutil.rmtree(UV, ignore_errors=True)
    run(sys.executable, "-m", "venv", str(UV))
    pip = (str(UV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--require-hashes", "--no-deps", "--requirement", str(BOOTSTRAP_LOCK))
    INSTALLER.finish()


def install_packages(packages: InstallStep = PACKAGES) -> None:
    """Install exactly the packages of the step's lock file in .venv; remove all others."""
    if UNFINISHED.exists() or not _is_usable():
        shutil.rmtree(paths.VENV, ignore_errors=True)
        run(sys.executable, "-m", "venv", "--without-pip", str(paths.VENV))
    UNFINISHED.touch()
    PROJECT.stamp.unlink(missing_ok=True)
    _uv("sync", "--require-hashes", str(packages.source))
    packages.finish()
    UNFINISHED.unlink()


def install_project() -> None:
    """Install the project itself, editable and without downloads, since its dependencies are installed."""
    _uv("install", "--no-deps", "--no-build-isolation", "--editable", str(paths.ROOT))
    PROJECT.finish()


def run(*command: str) -> None:
    """Run a command of the setup; raises `DownloadFailed` with the end of its output."""
    completed = subprocess.run(
        command, env={**_trust(), **os.environ}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if completed.returncode:
        output = (completed.stdout + completed.stderr).strip()[-2000:]
        raise DownloadFailed(
            f"`{' '.join(command)}` failed; correct the cause and run `make setup` again. Its output:\n{output}"
        )


def _uv(*arguments: str) -> None:
    run(str(UV / "bin" / "uv"), "pip", "--quiet", *arguments, "--python", str(PYTHON))


def _is_usable() -> bool:
    """Return whether .venv has a working Python of a supported version."""
    return _version() in PYTHONS


def _version() -> tuple[int, int] | None:
    """Return the version of Python in .venv, None if there is no working one."""
    code = "import sys; sys.prefix == sys.base_prefix and sys.exit(1); print(*sys.version_info[:2])"
    try:
        completed = subprocess.run((str(PYTHON), "-c", code), capture_output=True, text=True, check=False)
    except OSError:
        return None
    major, _, minor = completed.stdout.partition(" ")
    return (int(major), int(minor)) if completed.returncode == 0 else None


def _trust() -> dict[str, str]:
    """Return the setting that makes uv trust the system's certificates, if it has any."""
    verify_paths = ssl.get_default_verify_paths()
    return {"UV_NATIVE_TLS": "1"} if verify_paths.cafile or verify_paths.capath else {}


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
