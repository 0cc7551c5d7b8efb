"""1,000 models: listing them, a poll where 10 have news; a year of results; late labels with few and many features.

Times depend on what else the machine does, so that work is counted too: statements, rows and bytes of the server.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, func, insert, literal, select, text

from benchmarks.durable import databases
from benchmarks.measuring import Better, RatioTarget, conclude, machine
from driftline.clock import naive_utc
from driftline.engine.spec import ColumnSpec, ModelClock, Spec
from driftline.objects import open_store
from driftline.settings import DatabaseSettings
from driftline.store import tables
from driftline.store.database import in_transaction
from driftline.store.rows import labels
from driftline.store.rows.predictions import PredictionStore
from driftline.store.versions import registry
from monitoring.app import create_app
from monitoring.poll.outcomes import PollOutcome
from monitoring.poll.poller import poll_once
from monitoring.settings import MonitorSettings

DAY = timedelta(days=1)
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
NOW = FIRST + 400 * DAY
YEAR = 365
WITH_NEWS = 10
ROWS = 60
READS = 5
MILLISECONDS = RatioTarget(200, Better.LOWER)
PAGE_MILLISECONDS = RatioTarget(500, Better.LOWER)


def spec_of(features: int) -> Spec:
    """Return a spec with so many features and chunks of a day."""
    columns = tuple(ColumnSpec(name=f"feature_{number}") for number in range(features))
    return Spec(columns=columns, clock=ModelClock.DATA, label_delay=timedelta(), minimum_rows=20)


def scored(day: datetime, rows: int, features: int) -> pd.DataFrame:
    """Return the scored rows of a day, with their true value in `label`."""
    rng = np.random.default_rng(day.toordinal())
    score = rng.uniform(size=rows)
    columns = {
        "event_time": pd.DatetimeIndex([day] * rows).as_unit("us"),
        "id": [f"{day:%Y-%m-%d}/{number}" for number in range(rows)],
        "model_version": 1,
        "scored_at": pd.Timestamp(NOW).as_unit("us"),
        "prediction": (score > 0.5).astype(int),
        "probability_1": score,
        "label": (rng.uniform(size=rows) < score).astype(int),
    }
    return pd.DataFrame(columns | {f"feature_{number}": rng.normal(size=rows) for number in range(features)})


def register(engine: Engine, objects: Path, name: str, features: int) -> PredictionStore:
    """Register a model with a reference of nine days."""
    reference = pd.concat([scored(FIRST - (9 - day) * DAY, 200, features) for day in range(9)], ignore_index=True)
    candidate = registry.Candidate(name, spec_of(features), "0" * 64, reference, None, {})
    registry.register(engine, candidate, open_store(objects), NOW)
    return registry.load(engine, name).store


def write(engine: Engine, store: PredictionStore, frame: pd.DataFrame, batch: str) -> None:
    """Store a batch of predictions."""
    in_transaction(engine, lambda connection: store.write(connection, batch, frame, NOW))


def copy_models(engine: Engine, number: int, count: int) -> None:
    """Register copies of a model as `copy_0002` and so on, until there are `count` models."""
    with engine.begin() as connection:
        copies = range(number + 1, number + count)
        rows = [{"number": n, "name": f"copy_{n:04}", "created_at": naive_utc(NOW)} for n in copies]
        connection.execute(insert(tables.models), rows)
        for table in (tables.model_versions, tables.spec_revisions):
            columns = [column for column in table.c if column.name != "model_number"]
            for n in copies:
                copied = select(literal(n), *columns).where(table.c.model_number == number)
                names = ["model_number", *(column.name for column in columns)]
                connection.execute(insert(table).from_select(names, copied))


@dataclass
class Work:
    """What was done: statements, rows that they gave or changed, bytes that the server sent, and seconds."""

    statements: int = 0
    rows: int = 0
    sent: int = 0
    seconds: float = 0.0


@contextmanager
def counted(engine: Engine) -> Iterator[Work]:
    """Count what is done within the block."""
    work = Work()

    def count(_connection: object, cursor: object, *_: object) -> None:
        work.statements += 1
        work.rows += max(getattr(cursor, "rowcount", 0), 0)

    sent_before, began = _bytes_sent(engine), time.perf_counter()
    event.listen(engine, "after_cursor_execute", count)
    try:
        yield work
    finally:
        event.remove(engine, "after_cursor_execute", count)
        work.seconds = time.perf_counter() - began
        work.sent = _bytes_sent(engine) - sent_before


def _bytes_sent(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("SHOW GLOBAL STATUS LIKE 'Bytes_sent'")).one()[1])


def show(name: str, work: Work) -> None:
    """Print what was done."""
    counts = f"{work.statements:6,} statements {work.rows:8,} rows {work.sent / 1e3:10,.0f} kB"
    print(f"  {name:<52} {counts} {work.seconds:8.3f} s", flush=True)


def poll_with_news(engine: Engine, objects: Path, models: int) -> tuple[Work, PollOutcome]:
    """Return the work of a poll of so many models, of which `WITH_NEWS` have a new day."""
    store = register(engine, objects, "original", 5)
    copy_models(engine, store.number, models)
    with engine.begin() as connection:  # what every model has: a chunk that waits to be closed
        numbers = connection.execute(select(tables.model_versions.c.model_number)).scalars().all()
        waiting = {"model_version": 1, "chunk_start": naive_utc(FIRST), "due_at": naive_utc(NOW + 100 * DAY)}
        connection.execute(insert(tables.pending_chunks), [waiting | {"model_number": n} for n in numbers])
    for number in numbers[:: max(len(numbers) // WITH_NEWS, 1)][:WITH_NEWS]:
        frame = scored(FIRST + DAY, ROWS, 5)
        write(engine, PredictionStore(number, store.spec), frame, f"news/{number}")
    with counted(engine) as work:
        summary = poll_once(engine, NOW, scheduled=True)
    return work, summary


def year_of_results(engine: Engine, objects: Path) -> str:
    """Store a year of daily results of a model with 20 features by copying those of its first day; return its name."""
    name = "year"
    store = register(engine, objects, name, 20)
    write(engine, store, scored(FIRST, 300, 20), "year/0")
    poll_once(engine, NOW, scheduled=False)
    for table in (tables.chunk_revisions, tables.results, tables.verdicts):
        with engine.begin() as connection:
            of_model = table.c.model_number == store.number
            stored = [dict(row) for row in connection.execute(select(table).where(of_model)).mappings()]
            for day in range(1, YEAR):
                connection.execute(insert(table), [_later(row, day * DAY) for row in stored])
    return name


def _later(row: dict[str, Any], by: timedelta) -> dict[str, Any]:
    """Return a row about another day."""
    return row | {name: row[name] + by for name in ("chunk_start", "chunk_end") if name in row}


def fastest(client: FlaskClient, path: str) -> float:
    """Return the milliseconds of the fastest of some requests."""

    def once() -> float:
        began = time.perf_counter()
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        return 1000 * (time.perf_counter() - began)

    return min(once() for _ in range(READS))


def late_labels(engine: Engine, objects: Path, features: int) -> Work:
    """Return the work of a poll after 1,000 late labels of a day of 5,000 rows, without the fitted reference."""
    store = register(engine, objects, f"wide_{features}", features)
    frame = scored(FIRST, 5_000, features)
    write(engine, store, frame, f"wide/{features}")
    write(engine, store, scored(FIRST + DAY, ROWS, features), f"wide/{features}/next")
    poll_once(engine, NOW, scheduled=False)
    late = pd.DataFrame({"id": frame["id"], "value": frame["label"], "known_at": pd.Timestamp(NOW)})[:1_000]
    in_transaction(
        engine,
        lambda connection: labels.write_batch(connection, f"late/{features}", store.number, late, NOW),
    )
    with counted(engine) as work:
        summary = poll_once(engine, NOW, scheduled=False)
    assert (summary.chunks, summary.failed) == (1, 0), summary
    with engine.connect() as connection:
        fitted = select(func.length(tables.spec_revisions.c.fitted))
        of_model = tables.spec_revisions.c.model_number == store.number
        work.sent -= int(connection.execute(fitted.where(of_model)).scalar_one())  # each poll reads it once
    return work


def client_of(engine: Engine, output: Path) -> FlaskClient:
    """Return a client of a monitor that does not poll."""
    url = engine.url
    settings = DatabaseSettings.model_validate(
        {"host": url.host, "port": url.port, "user": url.username, "password": url.password, "name": url.database}
    )
    client: FlaskClient = create_app(MonitorSettings(output=output), settings, polls=False).test_client()
    return client


def main() -> None:
    """Measure; the number of models may be given as an argument."""
    models = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    print(f"Many models ({machine()})")
    with tempfile.TemporaryDirectory(prefix="driftline-bench-") as folder, databases() as fresh:
        objects = Path(folder)
        few, many = fresh(), fresh()
        work, _ = poll_with_news(few, objects / "few", WITH_NEWS)
        show(f"poll of {WITH_NEWS} models with news", work)
        of_many, summary = poll_with_news(many, objects / "many", models)
        show(f"poll of {models:,} models, {WITH_NEWS} with news", of_many)
        touched = f"{summary.batches} batches, {len(summary.polls)} versions, {summary.chunks} chunks"
        print(f"  => {touched}; statements: {of_many.statements - work.statements:+}", flush=True)
        client = client_of(many, objects / "output")
        conclude(f"list of {models:,} models, milliseconds", fastest(client, "/api/v1/models"), MILLISECONDS)
        year = year_of_results(many, objects / "year")
        for name, more in (("the drift of", "&kind=drift&method=jensen_shannon"), ("all results of", "")):
            path = f"/api/v1/models/{year}/results?from=2025-01-01&most=400{more}"
            conclude(f"a year of {name} 20 features, milliseconds", fastest(client, path), MILLISECONDS)
        conclude("the page of that model, milliseconds", fastest(client, f"/models/{year}"), PAGE_MILLISECONDS)
        narrow, wide = late_labels(many, objects / "narrow", 5), late_labels(many, objects / "wide", 50)
        show("1,000 late labels, 5 features", narrow)
        show("1,000 late labels, 50 features", wide)
        conclude("bytes read after late labels, 50 features / 5", wide.sent / narrow.sent)


if __name__ == "__main__":
    main()
