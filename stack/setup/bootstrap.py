"""`make setup` from a bare Python: checks the machine, makes .venv, then lets its Python fetch the servers.

With `--dev` (`make setup-dev`) it makes .venv only, which is all that checks and unit tests need: no Java, no Maven.
Standard library only, like all that it imports.
"""

import argparse
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence

from stack import paths
from stack.errors import StackError
from stack.locks import exclusive_lock
from stack.setup import downloads, libaio, prerequisites, virtualenv
from stack.setup.virtualenv import INSTALLER, PACKAGES, PROJECT, InstallStep

STEPS: tuple[tuple[InstallStep, Callable[[], None]], ...] = (
    (INSTALLER, virtualenv.install_uv),
    (PACKAGES, virtualenv.install_packages),
    (PROJECT, virtualenv.install_project),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Install what is missing; the exit status is 1 after a failure, which a message explains."""
    parser = argparse.ArgumentParser(prog="python -m stack.setup.bootstrap", description=__doc__.partition("\n")[0])
    parser.add_argument("--dev", action="store_true", help="make .venv only, without servers and jars")
    options = parser.parse_args(arguments)
    try:
        _make_environment(python_only=options.dev)
    except StackError as error:
        _write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        _write("\nInterrupted; run `make setup` again to continue.\n")
        return 130
    if not options.dev and (downloads.missing() or libaio.reason_missing()):
        os.execv(virtualenv.PYTHON, (str(virtualenv.PYTHON), "-m", "stack", "fetch"))  # noqa: S606  # no shell is meant
    return 0


def _make_environment(*, python_only: bool) -> None:
    """Check the machine and make .venv, unless that has been done.

    Args:
        python_only: leave out what only the servers need: the platform, Java, Maven, and disk space for the jars.
    """
    paths.BUILD.mkdir(exist_ok=True)
    with exclusive_lock(paths.BUILD / "setup.lock"):  # a second setup waits, and then has nothing to do
        virtualenv.forget_another_python()
        if not PACKAGES.is_done() or (not python_only and downloads.missing()):
            prerequisites.check(prerequisites.FOR_PYTHON if python_only else prerequisites.FOR_SERVERS)
        for step, install in STEPS:
            if not step.is_done():
                _with_dots(step.title, install)


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
