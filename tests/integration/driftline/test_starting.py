"""A service that nobody may reach as it is set does not start: it says so before it listens or connects."""

import os
import subprocess
import sys

import pytest

from stack import paths

NEEDED = {"DB_USER": "nobody", "DB_PASSWORD": "none", "DB_PORT": "1", "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}


def started(module: str, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONWARNINGS": "error", **NEEDED, **settings}
    command = (sys.executable, "-m", module)
    return subprocess.run(
        command, cwd=paths.ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(("module", "prefix"), [("monitoring", "MONITOR"), ("flaskapp", "SIMULATOR")])
def test_beyond_loopback_it_wants_tokens(module: str, prefix: str) -> None:
    ended = started(module, {f"{prefix}_HOST": "0.0.0.0", "DRIFTLINE_TOKENS": ""})  # noqa: S104  # it must not get there
    assert ended.returncode == 2, ended.stderr
    (line,) = (line for line in ended.stderr.splitlines() if " ERROR " in line)
    assert "driftline token create" in line
    assert "Traceback" not in ended.stderr
