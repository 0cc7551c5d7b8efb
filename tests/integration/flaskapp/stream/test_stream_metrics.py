"""The simulator's metrics say how streams and the relay are doing."""

from datetime import timedelta

import pytest
from prometheus_client.core import Metric
from sqlalchemy import Engine, insert

from churn.ledger import RELAY
from churn.tables import stream_runs
from driftline.clock import naive_utc, utc_now
from driftline.store.tables import ledger, pending_batches
from flaskapp.stream_metrics import STATES, read_streams
from stack.testing.fixtures import DatabaseAddress


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    return mariadb


def samples(metrics: list[Metric]) -> dict[tuple[str, ...], float]:
    return {(s.name, *s.labels.values()): s.value for metric in metrics for s in metric.samples}


def test_streams_and_the_lag_of_the_relay(churn_engine: Engine) -> None:
    now = utc_now()
    initial = samples(list(read_streams(churn_engine, lambda: now)))
    assert set(initial.values()) == {0.0}
    assert {("driftline_streams", state) for state in STATES} < initial.keys()
    stream = {
        "parameters": "{}", "state": "running", "num_batches": 9, "next_batch": 3, "records": 3000,
        "started_at": naive_utc(now), "updated_at": naive_utc(now),
    }  # fmt: skip
    batch = {"kind": "cdr", "content_hash": "0" * 64, "rows_written": 1000}
    with churn_engine.begin() as connection:
        connection.execute(insert(stream_runs), [stream | {"run_id": "a"}, stream | {"run_id": "b"}])
        for number in (1, 2):
            written = naive_utc(now - timedelta(seconds=60 * number))
            row = batch | {"number": number, "batch_id": f"cdr/{number}", "written_at": written}
            connection.execute(insert(ledger).values(row))
            connection.execute(insert(pending_batches).values(consumer=RELAY, batch_number=number))
    after = samples(list(read_streams(churn_engine, lambda: now)))
    assert after["driftline_streams", "running"] == 2
    assert after["driftline_stream_records",] == 6000
    assert after["driftline_relay_pending_batches",] == 2
    assert after["driftline_relay_lag_seconds",] == pytest.approx(120)
