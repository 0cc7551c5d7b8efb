"""Two versions of a model side by side: on the chunks that both have, else on all."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from driftline.engine.results import ResultKind
from driftline.objects import open_store
from driftline.settings import DatabaseSettings
from driftline.store.database import in_transaction
from driftline.store.rows import labels
from driftline.store.versions import registry
from driftline.store.versions.roles import Author, promote
from monitoring.pages.models.compare_page import compare_page
from monitoring.report.chunk_views import ChunkRange
from monitoring.service import MonitorService
from stack.testing.fixtures import DatabaseAddress
from tests.integration.monitoring.applications import monitor_of
from tests.integration.monitoring.world import DAY, FIRST, NAME, NOW, SPEC, make_world, reference, rows_of

ROWS = 300


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    return mariadb


@pytest.fixture
def client(engine: Engine, database_settings: DatabaseSettings, tmp_path: Path) -> Iterator[FlaskClient]:
    """Version 1 has days 0 to 3; version 2, whose scores are unsure, has days 2 to 4."""
    world = make_world(engine, tmp_path)
    for day in range(4):
        world.predict(day, ROWS)
        world.label(day, ROWS)
    candidate = registry.Candidate(NAME, SPEC, "b" * 64, reference(), None, {})
    assert registry.register(engine, candidate, open_store(tmp_path), NOW) == 2
    number = world.version.model_number
    for day in range(2, 5):
        frame = rows_of(FIRST + day * DAY, ROWS, seed=7)
        frame = frame.assign(model_version=2, id="v2/" + frame["id"], probability_1=1 - frame["probability_1"])
        known = frame[["id"]].assign(value=frame["label"], known_at=pd.Timestamp(FIRST + (day + 4) * DAY))
        in_transaction(engine, lambda c, f=frame, d=day: world.store.write(c, f"v2/{d}", f, NOW))  # type: ignore[misc]
        in_transaction(
            engine,
            lambda c, k=known, d=day: labels.write_batch(c, f"v2/l/{d}", number, k, NOW),  # type: ignore[misc]
        )
    with monitor_of(database_settings, tmp_path / "output", run_wait_seconds=600) as app:
        client = app.test_client()
        assert client.get("/run-monitoring").status_code == 200
        yield client


def test_versions_are_compared_on_the_chunks_that_both_have(client: FlaskClient, engine: Engine) -> None:
    page = client.get(f"/models/{NAME}/compare").text
    for words in ("Means over the 2 days that both have", "Days that both have", "Rows of the reference", "clear"):
        assert words in page
    monitor = MonitorService(engine, None, lambda: NOW)  # type: ignore[arg-type]  # it writes no report
    first, second = (monitor.status(NAME, number, ChunkRange()) for number in (1, 2))
    compared = compare_page(first, second)
    auc = next(row for row in compared.differences if (row.title, row.kind) == ("ROC AUC", "realized"))
    means = []
    for status in (first, second):
        of_days = [chunk.result(ResultKind.REALIZED, "roc_auc") for chunk in status.chunks]
        values = {c.start: r.value for c, r in zip(status.chunks, of_days, strict=True) if r and r.value is not None}
        means.append((values[FIRST + 2 * DAY] + values[FIRST + 3 * DAY]) / 2)
    assert float(auc.difference) == pytest.approx(means[1] - means[0], abs=0.001)
    assert auc.words == "clear"
    assert [chunk.label for chunk in compared.common] == ["4 Feb", "3 Feb"]
    apart = client.get(f"/models/{NAME}/compare?first=1&second=2&to=2026-02-02").text
    assert "No day has rows of both" in apart
    assert client.get(f"/models/{NAME}/compare?first=9").status_code == 404
    same = client.get(f"/models/{NAME}/compare?first=2&second=2").text
    assert "Version 2 is on both sides" in same
    assert "compare?first=1&amp;second=2" in same
    assert "Version 1</a>" in client.get(f"/models/{NAME}/compare?first=2").text
    assert "Compare versions" in client.get(f"/models/{NAME}").text
    promote(engine, NAME, 1, Author("ann", FIRST + 3 * DAY, "it was the better one"))
    assert "4 Feb: version 1 became champion, by ann: it was the better one" in client.get(f"/models/{NAME}").text
