"""Batches and polls of a monitor are runs of OpenLineage, without secrets and values of rows."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

import driftline
from driftline.lineage.settings import LineageSettings
from driftline.lineage.start import lineage_recorded
from driftline.settings import DatabaseSettings
from stack.testing.fixtures import DatabaseAddress
from tests.integration.driftline.ingest.senders import nested, rows
from tests.integration.monitoring.alerts.receivers import http_receiver
from tests.integration.monitoring.applications import monitor_of
from tests.integration.monitoring.world import NAME, make_world
from tests.unit.driftline.lineage.recorders import checked

PREDICTIONS = f"/api/v1/models/{NAME}/predictions"
SECRET = "a-secret-of-the-receiver"


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    return mariadb


@pytest.fixture
def events(engine: Engine, database_settings: DatabaseSettings, tmp_path: Path) -> list[dict[str, Any]]:
    """The events of a monitor that took a batch twice, refused another, and polled, each as OpenLineage requires it."""
    make_world(engine, tmp_path)
    with http_receiver() as receiver:
        settings = LineageSettings.model_validate({"address": receiver.url(), "token": SECRET})
        with lineage_recorded(settings), monitor_of(database_settings, tmp_path / "output") as app:
            client = app.test_client()
            for _ in range(2):
                sent = client.post(PREDICTIONS, json=nested(rows(80)), headers={"Idempotency-Key": "a-key"})
                assert sent.status_code == 200, sent.text
            refused = client.post(PREDICTIONS, json=[{"id": "refused-id", "score": "no-score"}])
            assert refused.status_code == 400
            assert client.get("/run-monitoring").status_code == 200
            assert client.get("/run-monitoring").status_code == 200
            metrics = client.get("/metrics").text
    assert 'driftline_lineage_events_total{outcome="lost",receiver="http"} 0.0' in metrics
    bodies = [post.body for post in receiver.posts]
    frame = rows(80)
    hidden = [
        database_settings.password.get_secret_value(), SECRET, "refused-id", "no-score",
        *frame["id"], *frame["minutes"].dropna().map(str), '"AA"', '"DL"',
    ]  # fmt: skip
    assert [value for value in hidden if value.encode() in b"".join(bodies)] == []
    return [*map(checked, bodies)]


def test_batches_and_polls_are_runs(events: list[dict[str, Any]]) -> None:
    ended = [(event["job"]["name"], event["eventType"]) for event in events if event["eventType"] != "START"]
    batch_job, poll_job = f"ingest.{NAME}.predictions", f"poll.{NAME}"
    assert ended == [(batch_job, "COMPLETE"), (batch_job, "FAIL"), (poll_job, "COMPLETE")]
    batch, refused, poll = (event for event in events if event["eventType"] != "START")
    (written,) = batch["outputs"]
    facts = batch["run"]["facets"]["driftline_run"]["facts"]
    assert written["name"] == f"{NAME}.predictions"
    assert written["outputFacets"]["outputStatistics"]["rowCount"] == facts["rows_new"] == 80
    assert "minutes" in {field["name"] for field in written["facets"]["schema"]["fields"]}
    assert written["facets"]["version"]["datasetVersion"] == facts["batch"]
    assert facts["batch"].endswith("key/a-key")
    assert refused["run"]["facets"]["errorMessage"]["message"] == "InvalidInput"

    polled = poll["run"]["facets"]["driftline_run"]["facts"]
    assert polled["batches"] == [facts["batch"]]
    assert polled["code_version"] == driftline.__version__
    assert (polled["model_version"], polled["spec_revision"], polled["chunks_failed"]) == (1, 1, 0)
    assert polled["chunks"]
    assert [dataset["name"].partition(".")[2] for dataset in poll["inputs"]] == ["predictions", "labels", "reference"]
    assert poll["outputs"][0]["name"] == f"{NAME}.results"
