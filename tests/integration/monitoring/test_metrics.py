"""The monitor's metrics say what the database says, in a fixed number of statements."""

from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, event, select

from driftline.clock import utc_now
from driftline.http.metrics import PATH, ServiceMetrics
from driftline.settings import DatabaseSettings
from driftline.store.tables import chunk_revisions, model_versions, models, spec_revisions
from driftline.store.versions.model_list import list_models
from monitoring.metrics.stored_values import GAUGES, read_stored
from tests.integration.monitoring.applications import monitor_of
from tests.integration.monitoring.world import NAME, make_world

Samples = dict[tuple[str, tuple[str, ...]], float]


def scrape(page: str) -> Samples:
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def stored(engine: Engine, own_series: int = 200) -> Samples:
    metrics = ServiceMetrics()
    metrics.add_reader(lambda: read_stored(engine, utc_now, own_series))
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
    }


def test_a_scrape_says_what_a_poll_stored(engine: Engine, database_settings: DatabaseSettings, tmp_path: Path) -> None:
    world = make_world(engine, tmp_path)
    world.predict(0)
    world.label(0, part=slice(150))
    world.predict(1)
    with monitor_of(database_settings, tmp_path / "output") as app:
        client = app.test_client()
        before = scrape(client.get(PATH).get_data(as_text=True))
        assert before["driftline_pending_batches", ("monitor",)] == 3
        assert client.post("/run-monitoring").status_code == 200
        page = scrape(client.get(PATH).get_data(as_text=True))
    after = stored(engine)
    assert after["driftline_database_up", ()] == 1
    assert after["driftline_label_coverage_ratio", (NAME,)] == 0.5
    assert after["driftline_chunk_rows", (NAME,)] == 300
    assert after["driftline_pending_chunks", (NAME,)] == after["driftline_failed_chunks", (NAME,)] == 0
    assert ("driftline_pending_batches", ("monitor",)) not in after
    with engine.connect() as connection:
        (summary,) = list_models(connection)
        closed = select(chunk_revisions.c.chunk_start).where(chunk_revisions.c.closed)
        assert len(connection.execute(closed).all()) == 1
    assert after["driftline_model_state", (NAME, str(summary.closed_state))] == 1
    assert after["driftline_models", (str(summary.closed_state),)] == 1
    assert 0.5 < after["driftline_result", (NAME, "estimated", "roc_auc")] < 1
    assert page["driftline_polls_total", ("ended",)] == 1
    assert page["driftline_http_requests_total", ("POST", "/run-monitoring", "200")] == 1
    assert page["driftline_database_connections", ("in use",)] >= 0


def test_more_models_take_no_more_statements_and_may_have_no_series(engine: Engine, tmp_path: Path) -> None:
    make_world(engine, tmp_path)
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    stored(engine)
    few = len(statements)
    with engine.begin() as connection:
        copy(connection, 40)
    statements.clear()
    samples = stored(engine)
    assert len(statements) == few <= 2 * len(GAUGES)
    assert len([name for name, _ in samples if name == "driftline_model_state"]) == 41
    samples = stored(engine, own_series=3)
    assert [labels[0] for name, labels in samples if name == "driftline_model_state"] == [NAME, "m00", "m01"]
    assert sum(value for (name, _), value in samples.items() if name == "driftline_models") == 41


def copy(connection: Any, count: int) -> None:
    """Register the model again under other names."""
    (model,), (version,) = (connection.execute(select(table)).mappings().all() for table in (models, model_versions))
    for place in range(count):
        number = model["number"] + 1 + place
        connection.execute(models.insert().values(dict(model) | {"number": number, "name": f"m{place:02}"}))
        connection.execute(model_versions.insert().values(dict(version) | {"model_number": number}))
        copied = select(spec_revisions).where(spec_revisions.c.model_number == model["number"])
        row = connection.execute(copied).mappings().one()
        connection.execute(spec_revisions.insert().values(dict(row) | {"model_number": number}))
