"""Predictions sent over HTTP in Arrow by one client, compared with a bare LOAD DATA of the same rows."""

import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from itertools import count
from pathlib import Path

import pandas as pd
import pyarrow as pa
from sqlalchemy import Engine, delete

from benchmarks.durable import databases
from benchmarks.measuring import Better, RatioTarget, alternate, conclude, machine, share, show, timed
from benchmarks.predictions.storage import DAY, NOW, Width, typed_table
from driftline.engine.results import EVENT_TIME, LABEL
from driftline.http.server.server import make_server
from driftline.ingest.ingestion import Ingestion, Sent
from driftline.ingest.rows.content import Content, Format
from driftline.objects import open_store
from driftline.settings import DatabaseSettings, TlsSettings
from driftline.store import bulk
from driftline.store.database import in_transaction
from driftline.store.rows.encoding.prediction_schema import MODEL_VERSION, SCORED_AT
from driftline.store.versions import registry
from monitoring.app import create_app
from monitoring.settings import MonitorSettings

NAME = "wide"
WIDTH = Width(20, 5)
ROWS, RUNS = 100_000, 5
NUMBERS = count(1)


def body_of(number: int) -> bytes:
    """Return a batch of new rows as an Arrow stream."""
    frame = WIDTH.rows(ROWS, number * ROWS).drop(columns=[MODEL_VERSION, SCORED_AT])
    table = pa.Table.from_pandas(frame, preserve_index=False)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def register(engine: Engine, folder: Path) -> None:
    """Register the model with a reference of eight days."""
    days = [
        WIDTH.rows(1_000, 10**8 + n).assign(**{EVENT_TIME: pd.Timestamp(DAY) - pd.Timedelta(days=n)}) for n in range(8)
    ]
    reference = pd.concat(days, ignore_index=True).assign(**{LABEL: lambda frame: frame["prediction"]})
    candidate = registry.Candidate(NAME, WIDTH.spec, "a" * 64, reference, None, {})
    registry.register(engine, candidate, open_store(folder), NOW)


@contextmanager
def monitor(engine: Engine, folder: Path) -> Iterator[HTTPConnection]:
    """Serve the monitor in a thread, and yield a client's connection to it."""
    url = engine.url
    settings = DatabaseSettings.model_validate(
        {"host": url.host, "port": url.port, "user": url.username, "password": url.password, "name": url.database}
    )
    app = create_app(MonitorSettings(output=folder / "output"), settings, polls=False)
    server = make_server(app, "127.0.0.1", 0, TlsSettings())
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield HTTPConnection("127.0.0.1", server.bind_addr[1], timeout=120)
    finally:
        server.stop()
        thread.join()


def post(client: HTTPConnection, body: bytes) -> None:
    """Send a batch, and verify that every row is new."""
    headers = {"Content-Type": Format.ARROW}
    client.request("POST", f"/api/v1/models/{NAME}/predictions", body, headers)
    answer = client.getresponse()
    content = answer.read()
    assert answer.status == 200, content
    assert f'"new":{ROWS}' in content.decode().replace(" ", ""), content


def send(client: HTTPConnection) -> float:
    """Send a new batch; return the seconds that it took, without making it."""
    body = body_of(next(NUMBERS))
    return timed(partial(post, client, body))


def load(engine: Engine) -> float:
    """Load a new batch of the same shape into a typed table; return the seconds, without those of emptying it."""
    frame = WIDTH.rows(ROWS, next(NUMBERS) * ROWS)
    table = typed_table(WIDTH.spec)
    names = [column.name for column in table.columns]
    payload = bulk.encode(frame, names)
    seconds = timed(lambda: in_transaction(engine, lambda c: bulk.load(c, table, names, payload)))
    in_transaction(engine, lambda connection: connection.execute(delete(table)))
    return seconds


def profile(engine: Engine) -> None:
    """Print where the time of one batch goes, without HTTP."""
    import cProfile  # noqa: PLC0415
    import pstats  # noqa: PLC0415

    ingestion = Ingestion(engine, lambda: NOW)
    bodies = [body_of(next(NUMBERS)) for _ in range(3)]
    profiler = cProfile.Profile()
    for number, body in enumerate(bodies):
        if number:
            profiler.enable()
        ingestion.predictions(NAME, Sent(Content.of(body, Format.ARROW, None)))
    profiler.disable()
    pstats.Stats(profiler).sort_stats("cumulative").print_stats(60)


def main() -> None:
    """Compare, or print a profile where `--profile` is given."""
    print(machine())
    with databases() as fresh, tempfile.TemporaryDirectory() as name:
        engine, folder = fresh(), Path(name)
        register(engine, folder)
        if "--profile" in sys.argv:
            profile(engine)
            return
        with engine.connect() as connection:
            typed_table(WIDTH.spec).create(connection)
        with monitor(engine, folder) as client:
            measured = alternate(
                {
                    "Arrow over HTTP, one client": lambda: send(client),
                    "typed table, LOAD DATA alone": lambda: load(engine),
                },
                RUNS,
            )
        show(measured, ROWS)
        sent, loaded = measured.values()
        conclude("share of a bare LOAD DATA", share(sent, loaded), RatioTarget(0.7, Better.HIGHER))


if __name__ == "__main__":
    main()
