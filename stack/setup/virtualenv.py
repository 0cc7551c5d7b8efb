"""The virtual environment .venv: exactly what requirements/dev.lock says, and the project. Standard library only."""

import hashlib
import os
import shutil
import ssl
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from stack import paths
from stack.errors import DownloadFailed
from stack.setup.prerequisites import PYTHONS

UV = paths.BUILD / "uv"
PYTHON = paths.VENV / "bin" / "python"
BOOTSTRAP_LOCK = paths.REQUIREMENTS / "bootstrap.lock"
DEV_LOCK = paths.REQUIREMENTS / "dev.lock"
UNFINISHED = paths.VENV / ".unfinished"
"""There while packages are installed: an environment left half-way by a kill is made anew."""


@dataclass(frozen=True)
class InstallStep:
    """Something installed from a file; done when the stamp holds the file's hash."""

    title: str
    source: Path
    stamp: Path

    def is_done(self) -> bool:
        """Whether the present file has been installed."""
        return self.stamp.exists() and self.stamp.read_text() == _hash(self.source)

    def finish(self) -> None:
        """Note that the present file has been installed."""
        self.stamp.write_text(_hash(self.source))


INSTALLER = InstallStep("uv", BOOTSTRAP_LOCK, UV / ".stamp")
PACKAGES = InstallStep("Python packages", DEV_LOCK, paths.VENV / ".packages.stamp")
PROJECT = InstallStep("The driftline command", paths.ROOT / "pyproject.toml", paths.VENV / ".project.stamp")


def forget_another_python() -> None:
    """Let .venv be made anew where PYTHON asks for another version of Python than it has."""
    if os.environ.get("PYTHON") and PACKAGES.stamp.exists() and _version() != sys.version_info[:2]:
        UNFINISHED.touch()
        PACKAGES.stamp.unlink()


def install_uv() -> None:
    """Make a small environment with the pinned uv, fetched by pip and held against its hashes."""
    shutil.rmtree(UV, ignore_errors=True)
    run(sys.executable, "-m", "venv", str(UV))
    pip = (str(UV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--require-hashes", "--no-deps", "--requirement", str(BOOTSTRAP_LOCK))
    INSTALLER.finish()


def install_packages() -> None:
    """Bring .venv to exactly the lock: what is not in it goes."""
    if UNFINISHED.exists() or not _is_usable():
        shutil.rmtree(paths.VENV, ignore_errors=True)
        run(sys.executable, "-m", "venv", "--without-pip", str(paths.VENV))
    UNFINISHED.touch()
    PROJECT.stamp.unlink(missing_ok=True)
    _uv("sync", "--require-hashes", str(DEV_LOCK))
    PACKAGES.finish()
    UNFINISHED.unlink()


def install_project() -> None:
    """Install the project itself, editable, fetching nothing: all it needs is there."""
    _uv("install", "--no-deps", "--no-build-isolation", "--editable", str(paths.ROOT))
    PROJECT.finish()


def run(*command: str) -> None:
    """Run a command of setting up; raises `DownloadFailed` with its last words."""
    done = subprocess.run(
        command, env={**_trust(), **os.environ}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stdout + done.stderr).strip()[-2000:]
        raise DownloadFailed(
            f"`{' '.join(command)}` failed; run `make setup` again when the cause is gone. It said:\n{said}"
        )


def _uv(*arguments: str) -> None:
    run(str(UV / "bin" / "uv"), "pip", "--quiet", *arguments, "--python", str(PYTHON))


def _is_usable() -> bool:
    """Whether .venv has a Python that runs and is of a version that fits."""
    return _version() in PYTHONS


def _version() -> tuple[int, int] | None:
    """The version of Python in .venv, None where none runs there."""
    code = "import sys; sys.prefix == sys.base_prefix and sys.exit(1); print(*sys.version_info[:2])"
    try:
        done = subprocess.run((str(PYTHON), "-c", code), capture_output=True, text=True, check=False)
    except OSError:
        return None
    major, _, minor = done.stdout.partition(" ")
    return (int(major), int(minor)) if done.returncode == 0 else None


def _trust() -> dict[str, str]:
    """Let uv trust the certificates that this system trusts, where it has any; left to itself it knows only its own."""
    known = ssl.get_default_verify_paths()
    return {"UV_NATIVE_TLS": "1"} if known.cafile or known.capath else {}


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
