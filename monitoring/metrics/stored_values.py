"""Reads the gauges of the values in MySQL, by a fixed number of statements for any number of models."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from prometheus_client.core import Metric
from sqlalchemy import ColumnElement, Connection, Engine, Table, and_, false, func, or_, select

from driftline.clock import Clock, aware_utc, naive_utc
from driftline.engine.results import MODEL, ResultKind, State, SubjectKind
from driftline.http.metrics import Sample, gauge
from driftline.store.database import translated
from driftline.store.sources.ingest_log import IngestState
from driftline.store.tables import (
    chunk_revisions,
    ingest_log,
    models,
    pending_batches,
    pending_chunks,
    results,
    verdicts,
)
from driftline.store.version_key import VersionKey
from driftline.store.versions.model_list import ModelSummary
from monitoring.alerts import delivery_store
from monitoring.report.overview import ModelOverview, OverviewFilter, read_overview

HOUR = timedelta(hours=1)
PERFORMANCE = (ResultKind.REALIZED, ResultKind.ESTIMATED)
Samples = Iterable[Sample]


@dataclass(frozen=True, slots=True)
class _Scrape:
    """What the gauges are read from: the models with series of their own, the connection, and the time."""

    connection: Connection
    now: datetime
    overviews: list[ModelOverview]
    own_series: int

    @property
    def models(self) -> list[ModelOverview]:
        """The models with series of their own: the first by name, so that series do not come and go."""
        return sorted(self.overviews, key=lambda model: model.summary.name)[: self.own_series]

    @property
    def names(self) -> dict[int, str]:
        """The names of these models by number."""
        return {model.summary.number: model.summary.name for model in self.models}

    def closed(self) -> dict[VersionKey, tuple[str, datetime]]:
        """Return the name and the newest closed chunk of each of these models."""
        return {
            model.key: (model.summary.name, model.summary.closed_chunk)
            for model in self.models
            if model.key and model.summary.closed_chunk
        }

    def is_closed(self, table: Table) -> ColumnElement[bool]:
        """Return the condition for a table's rows of these chunks."""
        chunks = self.closed().items()
        rows = (and_(key.rows_of(table), table.c.chunk_start == naive_utc(start)) for key, (_, start) in chunks)
        return or_(false(), *rows)


@dataclass(frozen=True, slots=True)
class StoredGauge:
    """A gauge: its name, what it says, its labels, and how its samples are read."""

    name: str
    description: str
    labels: tuple[str, ...]
    read: Callable[[_Scrape], Samples]


def read_stored(engine: Engine, clock: Clock, own_series: int) -> Iterator[Metric]:
    """Yield all gauges.

    Raises:
        Unavailable: the database does not answer, or its tables are not those of this version.
    """
    with translated(), engine.connect() as connection:
        now = clock()
        overviews = list(read_overview(connection, now, OverviewFilter(), 1).models)
        scrape = _Scrape(connection, now, overviews, own_series)
        for row in GAUGES:
            yield gauge(row.name, row.description, row.labels, row.read(scrape))


def _models(scrape: _Scrape) -> Samples:
    counts = Counter(model.state for model in scrape.overviews)
    return [((str(state),), float(counts[state])) for state in State]


def _verdicts(scrape: _Scrape) -> Samples:
    return [(_labels(model.summary, model.state), 1.0) for model in scrape.models]


def _open_incidents(scrape: _Scrape) -> Samples:
    for model in scrape.models:
        if model.incident is not None:
            acknowledged = "yes" if model.incident.acknowledged_at else "no"
            yield (_labels(model.summary, model.incident.severity, acknowledged), 1.0)


def _coverage(scrape: _Scrape) -> Samples:
    columns = chunk_revisions.c
    statement = select(columns.model_number, columns.rows_labelled, columns.rows_seen)
    rows = statement.where(scrape.is_closed(chunk_revisions), columns.current)
    for number, labelled, row_count in scrape.connection.execute(rows):
        if row_count:
            yield ((scrape.names[number],), labelled / row_count)


def _rows(scrape: _Scrape) -> Samples:
    columns = chunk_revisions.c
    rows = select(columns.model_number, columns.rows_seen).where(scrape.is_closed(chunk_revisions), columns.current)
    return [((scrape.names[number],), float(row_count)) for number, row_count in scrape.connection.execute(rows)]


def _results(scrape: _Scrape) -> Samples:
    """Yield the performance of the newest closed chunks, realized and estimated, of all rows."""
    columns = results.c
    same = and_(
        *(columns[name] == chunk_revisions.c[name] for name in ("model_number", "model_version", "chunk_start")),
        columns.revision == chunk_revisions.c.revision,
    )
    rows = (
        select(columns.model_number, columns.kind, columns.method, columns.value)
        .select_from(results.join(chunk_revisions, same))
        .where(
            scrape.is_closed(chunk_revisions),
            chunk_revisions.c.current,
            columns.subject_kind == SubjectKind.MODEL,
            columns.subject == MODEL,
            columns.kind.in_(PERFORMANCE),
            columns.segment == "",
            columns.value.is_not(None),
        )
    )
    for number, kind, method, value in scrape.connection.execute(rows):
        yield ((scrape.names[number], kind, method), value)


def _drifted(scrape: _Scrape) -> Samples:
    """Yield how many columns' drift lasts in the newest closed chunks."""
    columns = verdicts.c
    rows = select(columns.model_number, columns.drifted).where(scrape.is_closed(verdicts), columns.current)
    for number, drifted in scrape.connection.execute(rows):
        yield ((scrape.names[number],), float(_length(drifted)))


def _pending_chunks(scrape: _Scrape) -> Samples:
    return [((model.summary.name,), float(model.pending.waiting)) for model in scrape.models]


def _failed_chunks(scrape: _Scrape) -> Samples:
    return [((model.summary.name,), float(model.pending.failed)) for model in scrape.models]


def _poll_lag(scrape: _Scrape) -> Samples:
    """Yield since when the oldest batch waits that is in no result, in seconds; 0 where nothing waits."""
    columns = pending_chunks.c
    waiting = select(columns.model_number, func.min(columns.waiting_since)).group_by(columns.model_number)
    since = {number: aware_utc(at) for number, at in scrape.connection.execute(waiting) if at is not None}
    for model in scrape.models:
        number = model.summary.number
        lag = (scrape.now - since[number]).total_seconds() if number in since else 0.0
        yield ((model.summary.name,), max(lag, 0.0))


def _event_age(scrape: _Scrape) -> Samples:
    for model in scrape.models:
        if model.newest_event is not None:
            yield ((model.summary.name,), (scrape.now - model.newest_event).total_seconds())


def _pending_batches(scrape: _Scrape) -> Samples:
    columns = pending_batches.c
    rows = select(columns.consumer, func.count()).group_by(columns.consumer)
    for consumer, count in scrape.connection.execute(rows):
        yield ((consumer,), float(count))


def _ingested(scrape: _Scrape) -> Samples:
    counted = func.coalesce(func.sum(ingest_log.c.rows_sent), 0)
    return _ingest(scrape, counted, ingest_log.c.state == IngestState.STORED)


def _refused(scrape: _Scrape) -> Samples:
    return _ingest(scrape, func.count(), ingest_log.c.state == IngestState.REFUSED)


def _ingest(scrape: _Scrape, counted: ColumnElement[Any], condition: ColumnElement[bool]) -> Samples:
    """Yield what the ingest log has of the last hour, by model and kind."""
    columns = ingest_log.c
    recent = columns.received_at >= naive_utc(scrape.now - HOUR)
    rows = (
        select(models.c.number, columns.kind, counted)
        .select_from(ingest_log.join(models, models.c.number == columns.model_number))
        .where(recent, condition)
        .group_by(models.c.number, columns.kind)
    )
    for number, kind, count in scrape.connection.execute(rows):
        if number in scrape.names:
            yield ((scrape.names[number], kind), float(count))


def _deliveries(scrape: _Scrape) -> Samples:
    for channel, by_state in delivery_store.counts(scrape.connection).items():
        for state, count in by_state.items():
            yield ((channel, str(state)), float(count))


def _labels(summary: ModelSummary, *values: str) -> tuple[str, ...]:
    return (summary.name, *map(str, values))


def _length(stored: str | None) -> int:
    """Return the number of entries of a JSON list."""
    return len(json.loads(stored)) if stored else 0


GAUGES = (
    StoredGauge("driftline_models", "Models by the state of their newest closed chunk.", ("state",), _models),
    StoredGauge("driftline_model_state", "1 for the state that a model has.", ("model", "state"), _verdicts),
    StoredGauge(
        "driftline_open_incident",
        "1 for a model with an open incident, the most severe if there are several.",
        ("model", "severity", "acknowledged"),
        _open_incidents,
    ),
    StoredGauge(
        "driftline_result",
        "Performance in the newest closed chunk, realized or estimated.",
        ("model", "kind", "metric"),
        _results,
    ),
    StoredGauge("driftline_drifted_columns", "Columns whose drift lasts.", ("model",), _drifted),
    StoredGauge("driftline_chunk_rows", "Predictions in the newest closed chunk.", ("model",), _rows),
    StoredGauge(
        "driftline_label_coverage_ratio",
        "Share of the newest closed chunk whose labels are in, 0 to 1.",
        ("model",),
        _coverage,
    ),
    StoredGauge("driftline_pending_chunks", "Chunks that the next poll computes.", ("model",), _pending_chunks),
    StoredGauge("driftline_failed_chunks", "Chunks whose computation failed.", ("model",), _failed_chunks),
    StoredGauge(
        "driftline_poll_lag_seconds", "How long the oldest batch waits that is in no result.", ("model",), _poll_lag
    ),
    StoredGauge(
        "driftline_newest_event_age_seconds", "Time since the newest event of a model's rows.", ("model",), _event_age
    ),
    StoredGauge(
        "driftline_pending_batches",
        "Stored batches that a consumer has yet to handle.",
        ("consumer",),
        _pending_batches,
    ),
    StoredGauge("driftline_ingested_rows_last_hour", "Rows stored in the last hour.", ("model", "kind"), _ingested),
    StoredGauge(
        "driftline_refused_batches_last_hour", "Batches refused in the last hour.", ("model", "kind"), _refused
    ),
    StoredGauge(
        "driftline_alert_deliveries", "Messages by alert channel and state.", ("channel", "state"), _deliveries
    ),
)
"""All gauges of the database, in the order of the page."""
