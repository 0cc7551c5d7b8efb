"""Results and verdicts arrive in real time series databases, each chunk in its present state, also after failures."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from driftline.clock import aware_utc
from driftline.settings import DatabaseSettings
from driftline.store import removal
from driftline.store.tables import chunk_revisions, results, sent_chunks, verdict_events
from monitoring.app import create_app
from monitoring.poll.poller import poll_once
from monitoring.series.points import CHUNK, LEVELS, NO_LEVEL, RESULT, VERDICT_EVENT
from monitoring.series.receiver import HttpLineReceiver, SeriesUnavailable
from monitoring.series.sink import SeriesSink
from monitoring.settings import MonitorSettings
from stack.servers import ports
from stack.setup.debian import time_series
from stack.testing.fixtures import DatabaseAddress
from tests.integration.monitoring.alerts.receivers import http_receiver
from tests.integration.monitoring.series.databases import Series, SeriesDatabase, influxdb, victoria_metrics
from tests.integration.monitoring.world import NAME, NOW, MonitoredWorld, make_world
from tests.waiting import wait_until

DAYS = 5
CLOSED = DAYS - 1
"""By the clock of the data the last day is open."""
TAGS = ("model", "version", "revision")
RESULT_TAGS = (*TAGS, "subject", "segment", "kind", "method")


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    return mariadb


@pytest.fixture(scope="session", autouse=True)
def _programs() -> None:
    if reason := time_series.reason_missing():
        pytest.skip(reason)


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> MonitoredWorld:
    """A model with polled days, of which the first has its labels."""
    world = make_world(engine, tmp_path)
    for day in range(DAYS):
        world.predict(day)
    world.label(0)
    poll_once(engine, NOW, scheduled=False)
    return world


@pytest.fixture(params=["VictoriaMetrics", "InfluxDB"])
def series(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SeriesDatabase]:
    folder = tmp_path / "series"
    folder.mkdir()
    with victoria_metrics(folder) if request.param == "VictoriaMetrics" else influxdb(folder) as running:
        yield running


def sink_of(world: MonitoredWorld, url: str) -> SeriesSink:
    return SeriesSink(world.engine, HttpLineReceiver(url, SecretStr("user:password")))


def require_same(world: MonitoredWorld, series: SeriesDatabase) -> None:
    """The database has the closed revisions and the verdict events on them, and nothing else."""
    closed = {(row["chunk_start"], row["revision"]): row for row in world.rows(chunk_revisions) if row["closed"]}
    rows: Series = {}
    for (start, revision), row in closed.items():
        rows.setdefault((NAME, "1", str(revision)), {})[aware_utc(start)] = row["rows_seen"]
    assert series.read(CHUNK, "rows", TAGS) == rows

    values: Series = {}
    for row in world.rows(results):
        if (row["chunk_start"], row["revision"]) in closed and row["value"] is not None:
            names = (NAME, "1", str(row["revision"]), row["subject"], row["segment"], row["kind"], row["method"])
            values.setdefault(names, {})[aware_utc(row["chunk_start"])] = row["value"]
    assert len(values) > 10
    stored = series.read(RESULT, "value", RESULT_TAGS)
    assert stored.keys() == values.keys()
    for key, by_time in values.items():
        assert stored[key] == pytest.approx(by_time, rel=1e-9)

    levels: Series = {}
    for row in world.rows(verdict_events):
        if row["closed"]:
            identity = (str(row["revision"]), str(row["sequence"]))
            levels.setdefault(identity, {})[aware_utc(row["chunk_start"])] = LEVELS.get(row["state"], NO_LEVEL)
    assert series.read(VERDICT_EVENT, "level", ("revision", "sequence")) == levels


def test_chunks_arrive_and_changed_ones_replace_them(world: MonitoredWorld, series: SeriesDatabase) -> None:
    sink = sink_of(world, series.url)
    assert sink.send_due() == CLOSED
    require_same(world, series)
    assert sink.send_due() == 0
    assert sink_of(world, series.url).send_due() == 0  # as after a restart

    world.label(0, flipped=True)
    poll_once(world.engine, NOW, scheduled=False)
    assert {row["revision"] for row in world.rows(chunk_revisions)} == {1, 2}
    assert 1 <= sink.send_due() < CLOSED
    require_same(world, series)
    removal.remove(world.engine, NAME)
    assert world.rows(sent_chunks) == []


def test_a_database_that_was_away_gets_everything(world: MonitoredWorld, tmp_path: Path) -> None:
    port = ports.any_free()
    sink = sink_of(world, f"http://127.0.0.1:{port}/api/v2/write?bucket=driftline")
    with pytest.raises(SeriesUnavailable, match="MONITOR_SERIES_URL"):
        sink.send_due()
    assert world.rows(sent_chunks) == []
    with victoria_metrics(tmp_path, port):
        assert sink.send_due() == CLOSED
    world.predict(DAYS)
    poll_once(world.engine, NOW, scheduled=False)
    with pytest.raises(SeriesUnavailable):
        sink.send_due()
    with victoria_metrics(tmp_path, port) as series:
        assert sink.send_due() >= 1
        require_same(world, series)


def test_refused_points_are_logged_and_do_not_hold_up_others(
    world: MonitoredWorld, caplog: pytest.LogCaptureFixture
) -> None:
    with http_receiver() as receiver:
        receiver.status = 400
        assert sink_of(world, receiver.url("/write?db=a")).send_due() == CLOSED
        assert {post.path for post in receiver.posts} == {"/write?db=a&precision=s"}
        assert {post.headers["Authorization"] for post in receiver.posts} == {"Token user:password"}
        receiver.status = 503
        world.label(1)
        poll_once(world.engine, NOW, scheduled=False)
        with pytest.raises(SeriesUnavailable, match="503"):
            sink_of(world, receiver.url("/write?db=a")).send_due()
    assert f"points of {NAME} version 1 are left out" in caplog.text


def test_the_monitor_sends_in_the_background(
    world: MonitoredWorld, database_settings: DatabaseSettings, tmp_path: Path
) -> None:
    with http_receiver() as receiver:
        settings = MonitorSettings(output=tmp_path / "output", series_url=receiver.url("/write"))
        app = create_app(settings, database_settings)
        try:
            wait_until(lambda: len(world.rows(sent_chunks)) == CLOSED)
        finally:
            app.extensions["series"].set()
            app.extensions["poller"].shutdown(wait=True)
            app.extensions["engine"].dispose()
    assert receiver.posts
