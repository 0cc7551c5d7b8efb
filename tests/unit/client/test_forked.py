"""Processes that fork share a client's spool folder, and neither locks, threads nor connections."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from driftline.client import MonitorClient
from driftline.client.batches.batch_file import RowKind
from driftline.client.spool.spool import Spool
from tests.unit.client.receiver import Receiver

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.slow
def test_forked_processes_neither_lose_nor_double_rows(
    receiver: Receiver, make_client: Callable[..., MonitorClient], tmp_path: Path
) -> None:
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "tests.unit.client.forking_program",
        receiver.url,
        str(tmp_path / "spool"),
    ]
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=60)
    client = make_client()
    assert client.flush(5)
    named = {row_id: times for row_id, times in receiver.ids.items() if " " in row_id}
    expected = [f"before {number}" for number in range(50)] + [f"between {child}" for child in range(6)]
    expected += [f"child {child}, {number}" for child in range(6) for number in range(100)]
    assert named == dict.fromkeys(expected, 1)
    assert len(receiver.ids) - len(named) == 6 * 3
    assert set(receiver.ids.values()) == {1}


def test_a_child_that_outlives_its_parent_does_not_hold_its_batch(tmp_path: Path) -> None:
    """The parent's batch is recovered although a child was forked while it was open."""
    spool = Spool(tmp_path)
    read, write = os.pipe()
    parent = os.fork()
    if parent == 0:
        spool.begin(RowKind.LABELS).append(b'{"id":"a"}\n', ["a"])
        if os.fork() == 0:
            os.close(write)
            os.read(read, 1)  # lives until the test ends
        os._exit(0)
    os.waitpid(parent, 0)
    deadline = time.monotonic() + 5
    while not spool.recover() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert spool.waiting() == 1
    os.close(write)
    os.close(read)
