"""A poll after corrections and deletions says what one poll over the final rows says."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine, delete, insert

from driftline.engine.calendar import chunk_at
from driftline.engine.computation.fitted_methods import SummaryContent
from driftline.engine.results import Quality
from driftline.errors import PredictionConflict
from driftline.ingest.ingestion import Ingestion
from driftline.store.tables import chunk_revisions, chunk_states, ingest_log, removed_rows, results
from monitoring.poll.chunk_summaries import ChunkSummaries, ContentSummary
from monitoring.poll.poller import poll_once
from stack.testing.fixtures import DatabaseAddress
from tests.integration.driftline.ingest.senders import json_sent, sent
from tests.integration.monitoring.world import DAY, FIRST, NAME, NOW, SPEC, make_world, rows_of


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    return mariadb


def test_chunks_are_computed_again(engine: Engine, tmp_path: Path) -> None:
    world = make_world(engine, tmp_path)
    for day in range(3):
        world.predict(day, 150)
        world.label(day, 150)
    poll_once(engine, NOW, scheduled=False)
    before = world.reported()
    ingestion = Ingestion(engine, lambda: NOW)
    changed = rows_of(FIRST, 150, seed=2).iloc[:60].drop(columns=["model_version", "scored_at", "label"])
    changed = changed.assign(minutes=changed["minutes"] + 3.0)
    changed.loc[:20, "event_time"] = pd.Timestamp(FIRST + DAY)
    assert ingestion.corrections(NAME, sent(changed)).changed == 60
    erased = rows_of(FIRST + 2 * DAY, 150, seed=2)["id"].tolist()[:40]
    assert ingestion.deletions(NAME, json_sent({"ids": [*erased, changed["id"].iloc[0]]})).changed == 42
    assert poll_once(engine, NOW, scheduled=False).chunks == 3
    after = world.reported()
    assert [chunk["rows_seen"] for chunk in after["chunks"]] == [129, 170, 110]
    assert after["results"] != before["results"]
    world.forget()
    poll_once(engine, NOW, scheduled=False)
    assert world.reported() == after


def test_features_and_labels_of_a_chunk_are_of_the_same_rows(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows are corrected, and moved to the next day, after the features of their chunk are read."""
    world = make_world(engine, tmp_path)
    world.predict(0, 150, part=slice(100))
    world.predict(0, 150, part=slice(100, 150))
    world.label(0, 150)
    changed = rows_of(FIRST, 150, seed=2).drop(columns=["model_version", "scored_at", "label"])
    pending = [changed.iloc[:30].assign(event_time=pd.Timestamp(FIRST + DAY)), changed.iloc[60:70].assign(minutes=9.0)]
    renew = ContentSummary.renew

    def interrupted(state: ContentSummary, *arguments: Any) -> None:
        renew(state, *arguments)
        if state.content is SummaryContent.FEATURES and pending:
            assert Ingestion(engine, lambda: NOW).corrections(NAME, sent(pending.pop())).changed

    monkeypatch.setattr(ContentSummary, "renew", interrupted)
    with engine.connect() as connection:
        chunk = chunk_at(world.version.spec, FIRST)
        state, afresh = (ChunkSummaries.renew(connection, world.version, chunk) for _ in range(2))
    assert not pending
    for content in ("features", "labels"):
        provenance = getattr(state, content).provenance()
        assert provenance.rows == 120
        assert provenance == getattr(afresh, content).provenance()


def test_a_correction_without_times_closes_no_chunk(engine: Engine, tmp_path: Path) -> None:
    world = make_world(engine, tmp_path)
    world.predict(0, 150)
    world.predict(1, 150)
    poll_once(engine, NOW, scheduled=False)
    changed = rows_of(FIRST, 150, seed=2).iloc[:20].assign(minutes=-1.0)
    changed = changed.drop(columns=["event_time", "model_version", "scored_at", "label"])
    assert Ingestion(engine, lambda: NOW).corrections(NAME, sent(changed)).changed == 20
    assert poll_once(engine, NOW, scheduled=False).chunks == 1
    closed = [(row["revision"], row["closed"]) for row in world.rows(chunk_revisions) if row["current"]]
    assert closed == [(2, 1), (1, 0)]


def test_a_deletion_erases_values_in_results_and_in_the_log(engine: Engine, tmp_path: Path) -> None:
    """Also in older revisions of the chunk; what is of many rows stays."""
    spec = SPEC.model_copy(update={"quality": (Quality.UNSEEN_CATEGORIES,)})
    world, ingestion = make_world(engine, tmp_path, spec), Ingestion(engine, lambda: NOW)
    world.predict(0, 150)
    world.predict(9, 150)
    secret = rows_of(FIRST, 150, seed=2).iloc[:2].drop(columns=["model_version", "scored_at", "label"])
    ingestion.corrections(NAME, sent(secret.assign(carrier="Ann's Air (1 rows)")))
    poll_once(engine, NOW, scheduled=False)
    name = secret["id"].iloc[0]
    with pytest.raises(PredictionConflict, match=name):
        ingestion.predictions(NAME, sent(secret.assign(minutes=1.0)))
    assert "Ann" in str(world.rows(results))
    ingestion.corrections(NAME, sent(secret.iloc[1:].assign(carrier="UA")))
    poll_once(engine, NOW, scheduled=False)
    assert ingestion.deletions(NAME, json_sent({"ids": secret["id"].tolist()})).changed
    for table in (results, ingest_log, chunk_states, removed_rows):
        assert "Ann" not in str(world.rows(table)), table.name
        assert name not in str(world.rows(table)), table.name
    reasons = {row["reason"] for row in world.rows(results) if row["method"] == "unseen_categories"}
    assert "1 category that the reference lacks" in reasons
    assert "(erased)" in str(world.rows(ingest_log))


@pytest.mark.parametrize("overlapping_poll", [False, True])
def test_a_deletion_deletes_the_summaries_of_its_chunks(engine: Engine, tmp_path: Path, overlapping_poll: bool) -> None:
    """A poll that read the rows before the deletion may store their state after it."""
    world = make_world(engine, tmp_path)
    for day in range(2):
        world.predict(day, 150, part=slice(0, 140))
    poll_once(engine, NOW, scheduled=False)
    before = world.rows(chunk_states)
    erased = rows_of(FIRST + DAY, 150, seed=2)["id"].tolist()[:5]
    assert Ingestion(engine, lambda: NOW).deletions(NAME, json_sent({"ids": erased})).changed == 5
    assert world.rows(chunk_states) == [row for row in before if row["chunk_start"] == FIRST.replace(tzinfo=None)]
    if overlapping_poll:
        with engine.begin() as connection:
            connection.execute(delete(chunk_states))
            connection.execute(insert(chunk_states), before)
    world.predict(1, 150, part=slice(140, 150))
    summary = poll_once(engine, NOW, scheduled=True)
    assert (summary.chunks, summary.left_open) == (1, 0)
    after = [row for row in world.rows(chunk_states) if row["chunk_start"] != FIRST.replace(tzinfo=None)]
    assert after
    assert not any(row in before for row in after)
    assert [chunk["rows_seen"] for chunk in world.reported()["chunks"]] == [140, 145]
