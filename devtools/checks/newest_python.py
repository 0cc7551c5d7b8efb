"""`make test-newest`: the tests of the engine and the backtest on the newest Python and pandas."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from stack import paths

VERSION = "3.13"
LOCK = paths.REQUIREMENTS / "newest.lock"
VENV = paths.BUILD / "newest"
UNIT = ("-m", "not slow", "tests/unit/test_public_api.py", "tests/unit/engine", "tests/unit/backtesting")
BACKTESTING = "tests/integration/backtesting"
INTEGRATION = (
    "-m",
    "not slow",
    "--confcutdir",
    BACKTESTING,
    "--ignore",
    f"{BACKTESTING}/test_surroundings.py",
    BACKTESTING,
)
"""Without the fixtures of servers, whose clients the environment lacks, and without the installed command."""
_ENVIRONMENT = {**os.environ, "PYTHONPATH": "src", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def main() -> None:
    """Install the locked packages in build/newest and run the tests there; without that Python skip them, with 0."""
    python = find_python()
    if python is None:
        sys.stdout.write(f"skipped: there is no Python {VERSION} here (looked in PATH and in ~/.pyenv/versions)\n")
        return
    install(python)
    command = [str(VENV / "bin" / "python"), "-m", "pytest", "-q", "-n", "2"]
    for tests in (UNIT, INTEGRATION):
        completed = subprocess.run([*command, *tests], cwd=paths.ROOT, env=_ENVIRONMENT, check=False)
        if completed.returncode:
            raise SystemExit(completed.returncode)


def find_python() -> str | None:
    """Return the first Python of this version that runs."""
    return next(filter(_runs, _candidates()), None)


def _candidates() -> Iterator[str]:
    yield f"python{VERSION}"
    yield from map(str, sorted((Path.home() / ".pyenv" / "versions").glob(f"{VERSION}.*/bin/python"), reverse=True))


def _runs(python: str) -> bool:
    code = "import sys; print('.'.join(map(str, sys.version_info[:2])))"
    try:
        completed = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return completed.stdout.strip() == VERSION


def install(python: str) -> None:
    """Create the environment again if the lock or the Python has changed since the last time."""
    stamp = VENV / ".stamp"
    state = hashlib.sha256(LOCK.read_bytes() + python.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == state:
        return
    uv = [str(paths.BUILD / "uv" / "bin" / "uv")]
    subprocess.run([*uv, "venv", "--quiet", "--clear", "--python", python, str(VENV)], check=True)
    sync = ["pip", "sync", "--quiet", "--python", str(VENV / "bin" / "python"), "--require-hashes", str(LOCK)]
    subprocess.run([*uv, *sync], check=True, env={"UV_NATIVE_TLS": "1", **os.environ})
    stamp.write_text(state)


if __name__ == "__main__":
    main()
