"""Without tokens, a service that would listen beyond loopback exits before it listens or connects."""

import os
import subprocess
import sys

import pytest

from stack import paths

REQUIRED_SETTINGS = {
    "DB_USER": "nobody",
    "DB_PASSWORD": "none",
    "DB_PORT": "1",
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
}


def run_service(module: str, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONWARNINGS": "error", **REQUIRED_SETTINGS, **settings}
    command = (sys.executable, "-m", module)
    return subprocess.run(
        command, cwd=paths.ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(("module", "prefix"), [("monitoring", "MONITOR"), ("flaskapp", "SIMULATOR")])
def test_beyond_loopback_tokens_are_required(module: str, prefix: str) -> None:
    result = run_service(module, {f"{prefix}_HOST": "0.0.0.0", "DRIFTLINE_TOKENS": ""})  # noqa: S104  # it must not get there
    assert result.returncode == 2, result.stderr
    (line,) = (line for line in result.stderr.splitlines() if " ERROR " in line)
    assert "driftline token create" in line
    assert "Traceback" not in result.stderr
