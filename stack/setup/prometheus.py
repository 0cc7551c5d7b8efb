"""Provides Prometheus, its promtool and Alertmanager for tests: the system's, or unpacked from their packages."""

import shutil
import subprocess
from pathlib import Path

from stack import paths
from stack.locks import exclusive_lock
from stack.setup.debian_packages import can_unpack, unpack
from stack.setup.jars import staging

FOLDER = paths.BUILD / "prometheus"
PROGRAMS = {"prometheus": "prometheus", "promtool": "prometheus", "prometheus-alertmanager": "prometheus-alertmanager"}
"""The programs by the package that has them, as Debian names both."""
_IN_NAMESPACE = (
    "unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
    'mount --bind "$0/usr/share" /usr/share && exec "$@"',
)  # fmt: skip
CURE = f"install the packages {' and '.join(sorted({*PROGRAMS.values()}))}"


def program(name: str) -> Path | None:
    """Return a program of `PROGRAMS`; None where it is missing."""
    unpacked = FOLDER / "usr" / "bin" / name
    installed = shutil.which(name)
    return unpacked if unpacked.exists() else Path(installed) if installed else None


def command(name: str) -> tuple[str, ...]:
    """Return the words that start a program: an unpacked one sees its own files as /usr/share, where it looks for them.

    It must be there: `reason_missing` says whether it is.
    """
    path = str(program(name))
    return (*_IN_NAMESPACE, str(FOLDER), path) if path.startswith(str(FOLDER)) else (path,)


def reason_missing() -> str | None:
    """Return why there is no Prometheus, after an attempt to unpack one; None if there is."""
    if not (_is_complete() or _fetch()):
        return f"Prometheus and Alertmanager are missing and cannot be downloaded: {CURE}."
    if not _starts("prometheus-alertmanager"):
        return f"The unpacked Alertmanager does not start, since `unshare` is missing or not allowed: {CURE}."
    return None


def _is_complete() -> bool:
    return all(program(name) for name in PROGRAMS)


def _starts(name: str) -> bool:
    try:
        return subprocess.run([*command(name), "--version"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def _fetch() -> bool:
    """Unpack the packages, once for all processes; return whether all programs are there."""
    if not can_unpack():
        return False
    paths.BUILD.mkdir(exist_ok=True)
    with exclusive_lock(paths.BUILD / "prometheus.lock"):
        if _is_complete():
            return True
        staged = staging(FOLDER)
        if not all(unpack(package, staged) for package in {*PROGRAMS.values()}):
            shutil.rmtree(staged)
            return False
        shutil.rmtree(FOLDER, ignore_errors=True)
        staged.rename(FOLDER)
    return _is_complete()
