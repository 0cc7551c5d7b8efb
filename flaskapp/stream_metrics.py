"""Reads the simulator's gauges: the streams and the lag of the relay."""

from collections.abc import Iterator

from prometheus_client.core import Metric
from sqlalchemy import Engine, func, select

from churn.ledger import RELAY
from churn.tables import stream_runs
from driftline.clock import Clock, aware_utc
from driftline.http.metrics import gauge
from driftline.store.database import translated
from driftline.store.tables import ledger, pending_batches

STATES = ("running", "stopped", "finished", "failed")


def read_streams(engine: Engine, clock: Clock) -> Iterator[Metric]:
    """Yield all gauges.

    Raises:
        Unavailable: the database does not answer, or its tables are not those of this version.
    """
    runs = stream_runs.c
    with translated(), engine.connect() as connection:
        counted = select(runs.state, func.count(), func.sum(runs.records)).group_by(runs.state)
        counts = {state: (count, records) for state, count, records in connection.execute(counted)}
        waiting = (
            select(func.count(), func.min(ledger.c.written_at))
            .select_from(pending_batches.join(ledger, ledger.c.number == pending_batches.c.batch_number))
            .where(pending_batches.c.consumer == RELAY)
        )
        batches, oldest = connection.execute(waiting).one()
    lag = max((clock() - aware_utc(oldest)).total_seconds(), 0.0) if oldest else 0.0
    streams = [((state,), float(counts.get(state, (0, 0))[0])) for state in STATES]
    records = float(sum(records for _, records in counts.values()))
    yield gauge("driftline_streams", "Streams by state.", ("state",), streams)
    yield gauge("driftline_stream_records", "Records that all streams have written.", samples=[((), records)])
    yield gauge("driftline_relay_pending_batches", "Batches to publish to Kafka.", samples=[((), float(batches))])
    yield gauge("driftline_relay_lag_seconds", "How long the oldest of them waits.", samples=[((), lag)])
