"""A model of its own that the tests of controls change: two weeks of reference, then days of which the last are bad."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import requests
from sqlalchemy import Engine, Table, delete, insert

NAME = "controls"
FIRST = date(2025, 1, 6)
REFERENCE_DAYS, DAYS, BAD_DAYS = 14, 10, 3
ROWS_A_DAY = 240
SECONDS = 600
"""A busy machine: the server may take long."""


def scored(first_day: int, days: int, prefix: str = "") -> pd.DataFrame:
    """Return the scored rows of some days from a day of the model on; the rows of its last days have wrong labels."""
    rng = np.random.default_rng(first_day)
    rows = days * ROWS_A_DAY
    score = rng.beta(1.5, 3, rows).round(4)
    starts = pd.Timestamp(FIRST + timedelta(days=first_day), tz="UTC")
    frame = pd.DataFrame(
        {
            "timestamp": pd.date_range(starts, periods=rows, freq=timedelta(days=1) / ROWS_A_DAY),
            "id": [f"{prefix}{first_day}/{row}" for row in range(rows)],
            "amount": rng.gamma(2.0, 100.0, rows).round(2),
            "plan": rng.choice(["basic", "family"], rows),
            "score": score,
            "prediction": (score > 0.5).astype(int),
            "label": (rng.random(rows) < score).astype(int),
        }
    )
    bad = frame["timestamp"] >= pd.Timestamp(FIRST + timedelta(days=REFERENCE_DAYS + DAYS - BAD_DAYS), tz="UTC")
    frame.loc[bad, "label"] = 1 - frame["label"]
    return frame


def reference() -> bytes:
    """Return the reference as a CSV file."""
    return scored(0, REFERENCE_DAYS).to_csv(index=False).encode()


def send(site: str, frame: pd.DataFrame, version: int) -> None:
    """Send rows and their labels to a version of the model, and have the monitor compute their chunks."""
    url, headers = f"{site}/api/v1/models/{NAME}", {"Content-Type": "text/csv"}
    for path, rows in (("predictions", frame.drop(columns="label")), ("labels", frame[["id", "label"]])):
        body = io.BytesIO(rows.to_csv(index=False).encode())
        requests.post(
            f"{url}/{path}", params={"version": version}, data=body, headers=headers, timeout=SECONDS
        ).raise_for_status()
    while requests.post(f"{site}/run-monitoring", timeout=SECONDS).status_code == requests.codes.accepted:
        pass  # the request has joined a run that is not over


def shown(site: str, path: str = "") -> dict[str, Any]:
    """Return what the API says about the model."""
    answer = requests.get(f"{site}/api/v1/models/{NAME}{path}", timeout=SECONDS)
    answer.raise_for_status()
    content: dict[str, Any] = answer.json()
    return content


@contextmanager
def stored(engine: Engine, table: Table, rows: list[dict[str, Any]]) -> Iterator[None]:
    """Store rows as long as the context lasts: lists that have several pages need more than the world has."""
    (key,) = table.primary_key
    with engine.begin() as connection:
        connection.execute(insert(table), rows)
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.execute(delete(table).where(key.in_([row[key.name] for row in rows])))
