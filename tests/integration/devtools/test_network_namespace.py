import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stack import paths

ENCLOSED = (sys.executable, "-m", "devtools.isolation.network_namespace")
PLANTED = """
import os, socket, time
for family, address in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8:1::5")):
    socket.socket(family, socket.SOCK_DGRAM).sendto(b"x", (address, 4242))
connecting = socket.socket()
connecting.setblocking(False)
connecting.connect_ex(("203.0.113.9", 443))
try:
    socket.getaddrinfo("planted.driftline.invalid", 80)
except OSError:
    pass
deadline = time.monotonic() + 10
while "planted" not in (noted := open(os.environ["DRIFTLINE_ATTEMPTS"]).read()) and time.monotonic() < deadline:
    time.sleep(0.02)
print(noted)
"""
AT_HOME = """
import os, socket, time
for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    listening = socket.create_server((address, 0), family=family)
    socket.create_connection(listening.getsockname()[:2]).sendall(b"x")
    assert listening.accept()[0].recv(1) == b"x"
socket.getaddrinfo("localhost", 80)
time.sleep(0.2)
print(open(os.environ["DRIFTLINE_ATTEMPTS"]).read())
"""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=paths.ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture(scope="module", autouse=True)
def permitted() -> None:
    output = run(*ENCLOSED, "true").stderr
    if "does not permit" in output:
        pytest.skip(output.strip())


def test_packets_connections_and_lookups_are_logged() -> None:
    completed = run(*ENCLOSED, sys.executable, "-c", PLANTED)
    assert completed.returncode == 0, completed.stderr
    assert '"udp", "address": "192.0.2.1", "port": 4242' in completed.stdout
    assert '"tcp", "address": "203.0.113.9", "port": 443' in completed.stdout
    assert '"name": "planted.driftline.invalid"' in completed.stdout
    assert "Would have left: tcp 203.0.113.9 port 443" in completed.stderr
    assert "Would have left: lookup of planted.driftline.invalid" in completed.stderr
    if Path("/proc/net/if_inet6").exists():
        assert '"udp", "address": "2001:db8:1::5", "port": 4242' in completed.stdout


def test_loopback_works_and_is_not_logged() -> None:
    completed = run(*ENCLOSED, sys.executable, "-c", AT_HOME)
    assert (completed.returncode, completed.stdout.strip()) == (0, ""), completed.stderr


def test_user_id_and_exit_status_stay_the_same() -> None:
    completed = run(*ENCLOSED, "sh", "-c", "id -u; id -g; exit 7")
    assert completed.returncode == 7
    assert completed.stdout.split() == [str(os.geteuid()), str(os.getegid())]


def test_the_machine_is_not_changed() -> None:
    state = Path("/etc/resolv.conf").read_bytes(), Path("/proc/self/ns/net").readlink()
    inside = run(*ENCLOSED, "sh", "-c", "cat /etc/resolv.conf; readlink /proc/self/ns/net").stdout
    assert "198.18.0.53" in inside
    assert str(state[1]) not in inside
    assert (Path("/etc/resolv.conf").read_bytes(), Path("/proc/self/ns/net").readlink()) == state


@pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare (util-linux) is missing: it makes such a machine")
def test_the_command_runs_with_a_warning_if_forbidden() -> None:
    forbid = 'echo 0 > /proc/sys/user/max_net_namespaces && exec "$@"'
    completed = run("unshare", "--user", "--map-root-user", "sh", "-c", forbid, "sh", *ENCLOSED, "sh", "-c",
               "echo ${DRIFTLINE_ATTEMPTS-plainly}; exit 7")  # fmt: skip
    assert (completed.returncode, completed.stdout.strip()) == (7, "plainly")
    assert "does not permit a network of its own (unshare: No space left on device)" in completed.stderr
