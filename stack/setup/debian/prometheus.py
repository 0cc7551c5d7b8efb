"""Provides Prometheus, its promtool and Alertmanager for tests: the system's, or unpacked from their packages."""

import subprocess

from stack import paths
from stack.setup.debian.debian_packages import UnpackedPrograms

PROGRAMS = UnpackedPrograms(
    paths.BUILD / "prometheus",
    {"prometheus": "prometheus", "promtool": "prometheus", "prometheus-alertmanager": "prometheus-alertmanager"},
)
"""The programs by the package that has them, as Debian names both."""
_IN_NAMESPACE = (
    "unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
    'mount --bind "$0/usr/share" /usr/share && exec "$@"',
)  # fmt: skip


def command(name: str) -> tuple[str, ...]:
    """Return the words that start a program: an unpacked one sees its own files as /usr/share, where it looks for them.

    It must be there: `reason_missing` says whether it is.
    """
    path, folder = str(PROGRAMS.program(name)), str(PROGRAMS.folder)
    return (*_IN_NAMESPACE, folder, path) if path.startswith(folder) else (path,)


def reason_missing() -> str | None:
    """Return why there is no Prometheus, after an attempt to unpack one; None if there is."""
    if not PROGRAMS.provide():
        return f"Prometheus and Alertmanager are missing and cannot be downloaded: {PROGRAMS.cure}."
    if not _starts("prometheus-alertmanager"):
        return f"The unpacked Alertmanager does not start, since `unshare` is missing or not allowed: {PROGRAMS.cure}."
    return None


def _starts(name: str) -> bool:
    try:
        return subprocess.run([*command(name), "--version"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
