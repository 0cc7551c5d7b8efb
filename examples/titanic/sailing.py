"""Passengers ask for predictions: most voyages over REST, every third over a WebSocket; labels follow by the client."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from websockets.sync.client import connect

from driftline.client import Monitor
from examples.monitor_api import call, token_header
from examples.titanic.passengers import FEATURES, LABEL

MODEL = "titanic"
OVER_WEBSOCKET = 3
"""Every so many voyages are predicted over a WebSocket."""
LABEL_DELAY = timedelta(days=2)


def sail(serving: str, voyages: pd.DataFrame) -> int:
    """Request a prediction for every passenger from the serving service, which logs it; return how many it made."""
    voyage_rows = [requested_rows(voyage) for _, voyage in voyages.groupby("departure")]
    over_websocket = [rows for number, rows in enumerate(voyage_rows) if number % OVER_WEBSOCKET == 0]
    over_rest = [rows for number, rows in enumerate(voyage_rows) if number % OVER_WEBSOCKET]
    answers = [call(serving, "/predict", method="POST", body={"model": MODEL, "rows": rows}) for rows in over_rest]
    answers.extend(_websocket_answers(serving, over_websocket))
    return sum(len(answer["predictions"]) for answer in answers)


def requested_rows(voyage: pd.DataFrame) -> list[dict[str, Any]]:
    """Return passengers as rows of a request; a missing value is None."""
    rows = voyage.assign(at=voyage["departure"].map(pd.Timestamp.isoformat)).to_dict("records")
    return [
        {"id": row["id"], "at": row["at"], "features": {name: _value(row[name]) for name in FEATURES}} for row in rows
    ]


def send_labels(monitor: str, voyages: pd.DataFrame, spool: Path) -> None:
    """Send who survived, known `LABEL_DELAY` after the departure.

    Raises:
        SystemExit: the monitor has not stored all of them.
    """
    with Monitor(monitor, MODEL, spool=spool) as client:
        for departure, voyage in voyages.groupby("departure"):
            known_at = pd.Timestamp(str(departure)).to_pydatetime() + LABEL_DELAY
            client.log_labels(voyage.set_index("id")[LABEL], known_at=known_at)
        if not client.flush(timeout=120) or client.status().refused_batches:
            raise SystemExit(f"The monitor has not stored the labels ({client.status()}); see {spool}/{MODEL}/refused.")


def _websocket_answers(serving: str, requests: list[list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """Yield the answers to requests on one WebSocket."""
    with connect(
        f"ws{serving.removeprefix('http')}/ws/predict", max_size=None, additional_headers=token_header()
    ) as socket:
        for rows in requests:
            socket.send(json.dumps({"model": MODEL, "rows": rows}))
            answer = json.loads(socket.recv())
            if "error" in answer:
                raise SystemExit(f"The serving service refuses a voyage: {answer['error']}")
            yield answer


def _value(value: Any) -> Any:
    return None if pd.isna(value) else value
