"""The prerequisites of this machine; each fault is one sentence that names the cure. Standard library only."""

import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from stack import paths
from stack.errors import PrerequisiteMissing
from stack.java import JAVA_PACKAGE, java, java_version

PYTHONS = ((3, 11), (3, 12))
JAVAS = (17, 21)
DISK_GB, MONITOR_DISK_GB = 6, 2
DATABASE_PROGRAM = "DRIFTLINE_MYSQLD"
INSTALLED_SERVERS = ("/usr/sbin/mariadbd", "/usr/sbin/mysqld")
"""Where packages of distributions put the server; it is proposed, never chosen."""

Check = Callable[[], str | None]
"""Returns the fault of this machine as a sentence, or None."""


def check(checks: Iterable[Check] | None = None) -> None:
    """Run the checks, `FOR_SERVERS` by default; raises `PrerequisiteMissing` with a sentence for each fault."""
    faults = [fault for fault in (find_fault() for find_fault in checks or FOR_SERVERS) if fault]
    if faults:
        raise PrerequisiteMissing("\n".join(faults))


def _platform() -> str | None:
    system = (platform.system(), platform.machine())
    return None if system == ("Linux", "x86_64") else f"The servers are for x86-64 Linux; this is {' '.join(system)}."


def _python() -> str | None:
    if sys.version_info[:2] in PYTHONS:
        return None
    return f"Python 3.11 or 3.12 is needed; this is {platform.python_version()}: install python3.11 or python3.12."


def _ensurepip() -> str | None:
    if importlib.util.find_spec("ensurepip"):
        return None
    return f"Python's ensurepip is missing: install python{sys.version_info.major}.{sys.version_info.minor}-venv."


def _java() -> str | None:
    try:
        program = java()
    except PrerequisiteMissing as missing:
        return str(missing)
    version = java_version(program)
    if version in JAVAS:
        return None
    is_ = f"Java {version}" if version else "of an unknown version"
    return f"Java 17 or 21 is needed, and {program} is {is_}: install {JAVA_PACKAGE}, or set JAVA_HOME."


def _maven() -> str | None:
    return None if shutil.which("mvn") else "Maven (mvn) is missing: install the package maven."


def _disk() -> str | None:
    return _space(DISK_GB)


def _disk_for_monitor() -> str | None:
    return _space(MONITOR_DISK_GB)


def _space(required: float) -> str | None:
    """Return the fault if less than `required` GB of disk space are free."""
    free = shutil.disk_usage(paths.ROOT).free / 1e9
    if free >= required:
        return None
    message = "has {:.1f} GB of free disk space and {} GB are needed: free some, or clone elsewhere."
    return f"{paths.ROOT} {message.format(free, required)}"


def _database_server() -> str | None:
    """Return the fault where MariaDB must be downloaded and cannot be."""
    if os.environ.get("DB_HOST") or os.environ.get(DATABASE_PROGRAM):
        return None
    faults = [fault for fault in (_java(), _maven()) if fault]
    if not faults:
        return None
    installed = next((path for path in INSTALLED_SERVERS if Path(path).exists()), None)
    program = installed or f"{INSTALLED_SERVERS[0]} (after installing the package mariadb-server)"
    return (
        f"There is no database server: set {DATABASE_PROGRAM}={program}, or DB_HOST, DB_USER and DB_PASSWORD for a"
        f" running server. Or let MariaDB be downloaded, which needs Java and Maven. {' '.join(faults)}"
    )


FOR_PYTHON = (_python, _ensurepip)
"""What .venv needs, and with it the checks and the unit tests."""
FOR_MONITOR = (_platform, *FOR_PYTHON, _database_server, _disk_for_monitor)
"""What the monitor alone needs, with its database server."""
FOR_SERVERS = (_platform, *FOR_PYTHON, _java, _maven, _disk)
"""What .venv and the local servers need."""
