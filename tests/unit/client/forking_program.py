"""Logs rows in a process and, while its threads run, in forked children; some are killed."""

import os
import signal
import sys

from driftline.client import MonitorClient


def main(url: str, spool: str) -> None:
    """Fork children that log rows, and check how they end."""
    client = MonitorClient(url, "churn", spool=spool, batch_seconds=0.01)
    for number in range(50):
        client.log({}, 1, id=f"before {number}")
    children = []
    for child in range(6):
        pid = os.fork()
        if pid == 0:
            _work(client, child)
        children.append(pid)
        client.log({}, 1, id=f"between {child}")
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0, signal.SIGKILL] * 3
    assert client.flush(10)


def _work(client: MonitorClient, child: int) -> None:
    ids = {client.log({}, 1) for _ in range(3)}
    assert len(ids) == 3
    for number in range(100):
        client.log({}, 1, id=f"child {child}, {number}")
    if child % 2:
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(0 if client.close(10) else 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
