"""`make setup` from a bare Python: checks the machine, makes .venv, then lets its Python fetch the servers.

With `--dev` (`make setup-dev`) it makes .venv only, which is all that checks and unit tests need: no Java, no Maven.
With `--monitor` it installs what the monitor alone needs, and a database server unless the environment names one.
Standard library only, like all that it imports.
"""

import argparse
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stack import paths
from stack.errors import StackError
from stack.locks import exclusive_lock
from stack.setup import downloads, prerequisites, virtualenv
from stack.setup.debian import libaio
from stack.setup.virtualenv import INSTALLER, MONITOR_PACKAGES, PACKAGES, PROJECT, InstallStep


@dataclass(frozen=True)
class Setup:
    """What is installed.

    Attributes:
        packages: the Python packages of .venv.
        checks: the prerequisites, checked before packages are installed or servers downloaded.
        missing: the downloads that are missing; None where there is nothing to download.
        fetch: the arguments of `python -m stack` that download them.
    """

    packages: InstallStep
    checks: tuple[prerequisites.Check, ...]
    missing: Callable[[], tuple[downloads.Download, ...]] | None = None
    fetch: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether the packages are installed; those for development include those of the monitor."""
        return PACKAGES.is_done() or self.packages.is_done()


ALL_PARTS = Setup(PACKAGES, prerequisites.FOR_SERVERS, downloads.missing, ("fetch",))
DEVELOPMENT = Setup(PACKAGES, prerequisites.FOR_PYTHON)
MONITOR = Setup(MONITOR_PACKAGES, prerequisites.FOR_MONITOR, downloads.missing_for_monitor, ("fetch", "--monitor"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Install what is missing; the exit status is 1 after a failure, which a message explains."""
    parser = argparse.ArgumentParser(prog="python -m stack.setup.bootstrap", description=__doc__.partition("\n")[0])
    selection = parser.add_mutually_exclusive_group()
    selection.add_argument(
        "--dev", action="store_const", dest="setup", const=DEVELOPMENT, help="without servers and jars"
    )
    selection.add_argument("--monitor", action="store_const", dest="setup", const=MONITOR, help="for the monitor alone")
    setup: Setup = parser.parse_args(arguments).setup or ALL_PARTS
    try:
        _make_environment(setup)
    except StackError as error:
        _write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        _write("\nInterrupted; run `make setup` again to continue.\n")
        return 130
    if (setup.missing and setup.missing()) or (setup is ALL_PARTS and libaio.reason_missing()):
        os.execv(virtualenv.PYTHON, (str(virtualenv.PYTHON), "-m", "stack", *setup.fetch))  # noqa: S606  # no shell is meant
    return 0


def _make_environment(setup: Setup) -> None:
    """Check the machine and make .venv, unless that has been done."""
    paths.BUILD.mkdir(exist_ok=True)
    with exclusive_lock(paths.BUILD / "setup.lock"):  # a second setup waits, and then has nothing to do
        virtualenv.forget_another_python()
        if not setup.is_complete or (setup.missing and setup.missing()):
            prerequisites.check(setup.checks)
        if not INSTALLER.is_done():
            _with_dots(INSTALLER.title, virtualenv.install_uv)
        if not setup.is_complete:
            _with_dots(setup.packages.title, lambda: virtualenv.install_packages(setup.packages))
        if not PROJECT.is_done():
            _with_dots(PROJECT.title, virtualenv.install_project)


def _with_dots(title: str, work: Callable[[], None]) -> None:
    """Print one line for a step: its title, a dot each second, its duration."""
    began, finished = time.monotonic(), threading.Event()
    _write(title)
    dots = threading.Thread(target=_dots, args=(finished,), daemon=True)
    dots.start()
    try:
        work()
    except BaseException:
        _end(finished, dots, "\n")
        raise
    _end(finished, dots, f": {time.monotonic() - began:.1f} s\n")


def _dots(finished: threading.Event) -> None:
    while not finished.wait(1):
        _write(".")


def _end(finished: threading.Event, dots: threading.Thread, text: str) -> None:
    finished.set()
    dots.join()
    _write(text)


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
