"""Logs rows until it is killed, and prints the id of each row when its call has returned."""

import random
import sys
from itertools import count

from driftline.client import MonitorClient


def main(url: str, spool: str, name: str) -> None:
    """Log rows until the process is killed, and print each that the client has accepted."""
    client = MonitorClient(url, "churn", spool=spool, batch_rows=20, batch_seconds=0.01, timeout=2)
    draws = random.Random(name)
    for number in count():
        row_id = f"{name}-{number}"
        if draws.random() < 0.1:
            client.log_labels({row_id: 1})
        elif draws.random() < 0.05:
            client.log_frame({"id": [row_id], "x": [number]})
        else:
            client.log({"x": number, "text": "a" * draws.randrange(2_000)}, 1, id=row_id)
        sys.stdout.write(f"{row_id}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
