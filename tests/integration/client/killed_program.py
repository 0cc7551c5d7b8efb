"""Logs predictions and labels until it is killed, and prints the ids of each call that has returned."""

import random
import sys
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from driftline.client import MonitorClient
from tests.integration.monitoring.world import FIRST, NAME

FRAME_ROWS = 20


def row(row_id: str) -> dict[str, Any]:
    """Return the flat row of an id: the same in every process."""
    draws = random.Random(row_id)
    score = draws.random()
    return {
        "event_time": FIRST + timedelta(seconds=draws.randrange(86_400)),
        "id": row_id,
        "prediction": int(score >= 0.5),
        "probability_1": score,
        "minutes": draws.random() if draws.random() < 0.9 else None,
        "distance": draws.random() * 100,
        "carrier": draws.choice(["AA", "DL", "UA"]),
    }


def log(client: MonitorClient, row_id: str) -> None:
    flat = row(row_id)
    at: datetime = flat["event_time"]
    features = {name: flat[name] for name in ("minutes", "distance", "carrier")}
    client.log(features, flat["prediction"], flat["probability_1"], row_id, at)


def log_frame(client: MonitorClient, ids: list[str]) -> None:
    rows = [row(row_id) for row_id in ids]
    client.log_frame({name: [row[name] for row in rows] for name in rows[0]})


def acknowledge(lines: Iterable[str]) -> None:
    """Print lines after a call has returned."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def main(url: str, spool: str, name: str) -> None:
    """Log rows until the process is killed, and print each that the client has accepted."""
    client = MonitorClient(url, NAME, spool=spool, batch_rows=200, batch_seconds=0.05, timeout=10)
    draws = random.Random(name)
    for number in count():
        row_id = f"{name}/{number}"
        ids = [row_id]
        if draws.random() < 0.01:
            ids = [f"{row_id}/{part}" for part in range(FRAME_ROWS)]
            log_frame(client, ids)
        else:
            log(client, row_id)
        acknowledge(f"prediction {row_id}" for row_id in ids)
        if draws.random() < 0.2:
            client.log_labels({row_id: number % 2})
            acknowledge([f"label {row_id} {number % 2}"])
        time.sleep(0.002)


if __name__ == "__main__":
    main(*sys.argv[1:])
