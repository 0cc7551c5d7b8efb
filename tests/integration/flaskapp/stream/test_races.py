"""Requests that race: one stream is started by any number of them, and no other answer is a fault."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from apiflask import APIFlask
from sqlalchemy import Engine, func, select

from churn.tables import stream_runs
from tests.integration.flaskapp.observed import wait_for_state

RACERS = 20


def test_of_racing_starts_exactly_one_begins(make_simulator: Any, engine: Engine) -> None:
    app: APIFlask = make_simulator()
    line = Barrier(RACERS)

    def start(number: int) -> int:
        with app.test_client() as client:
            line.wait(30)
            body = {"batch_size": 20 + number, "num_batches": 2, "interval": 1}
            return int(client.post("/start_stream", json=body).status_code)

    with ThreadPoolExecutor(RACERS) as pool:
        statuses = Counter(pool.map(start, range(RACERS)))
    assert statuses == {200: 1, 409: RACERS - 1}
    wait_for_state(app.test_client(), "finished")
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(stream_runs)).scalar_one() == 1
