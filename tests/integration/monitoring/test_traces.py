"""Traces arrive at a collector: from a request to the poll to the statements, without secrets and values of rows."""

import subprocess
import sys
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from driftline import spans
from driftline.settings import DatabaseSettings
from driftline.store.database import make_engine
from stack.testing.fixtures import DatabaseAddress
from tests.integration.driftline.ingest.senders import nested, rows
from tests.integration.monitoring.applications import monitor_of
from tests.integration.monitoring.world import NAME, make_world
from tests.integration.otlp import Collector, collected

CLIENT_TRACE, CLIENT_SPAN = "4bf92f35" * 4, "00f067aa0ba902b7"
HEADER = {"traceparent": f"00-{CLIENT_TRACE}-{CLIENT_SPAN}-01"}
PREDICTIONS = f"/api/v1/models/{NAME}/predictions"
SECRET = "a-secret-of-the-collector"


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    return mariadb


@pytest.fixture
def collector(engine: Engine, database_settings: DatabaseSettings, tmp_path: Path) -> Collector:
    """What a monitor sent that took a batch from a client with a trace of its own, and then polled by request."""
    make_world(engine, tmp_path)
    with (
        collected("monitor", f"authorization={SECRET}") as collector,
        monitor_of(database_settings, tmp_path / "output") as app,
    ):
        client: FlaskClient = app.test_client()
        sent = client.post(f"{PREDICTIONS}?na_values=in-the-query", json=nested(rows(80)), headers=HEADER)
        assert sent.status_code == 200, sent.text
        refused = client.post(PREDICTIONS, json=[{"id": "refused-id", "score": "no-score"}], headers=HEADER)
        assert refused.status_code == 400
        assert client.get("/run-monitoring").status_code == 200
        assert client.get("/readyz").status_code == 200
        assert client.get("/metrics").status_code == 200
    return collector


def test_a_request_leads_to_the_poll_and_its_statements(
    collector: Collector, database_settings: DatabaseSettings
) -> None:
    assert {span.service for span in collector.spans} == {"driftline-monitor"}
    requested = collector.named("POST /api/v1/models/<name>/predictions")
    assert {(span.trace, span.parent) for span in requested} == {(CLIENT_TRACE, CLIENT_SPAN)}
    assert {span.attributes["http.response.status_code"] for span in requested} == {"200", "400"}
    schema = database_settings.name
    ingested = [span for span in collector.spans if span.trace == CLIENT_TRACE]
    assert [requested[0].name, f"INSERT {schema}"] in map(collector.path, ingested)
    assert "queue chunks of a batch" in {span.name for span in ingested}

    (poll,) = collector.named("poll")
    above = ["GET /run-monitoring", "poll run", "poll"]
    assert collector.path(poll) == above
    assert poll.links == (CLIENT_TRACE,)
    chunk = collector.named("compute chunk")[0]
    assert collector.path(chunk) == [*above, "compute chunk"]
    assert chunk.attributes["driftline.model"] == NAME
    statements = [span for span in collector.spans if span.parent == chunk.id]
    assert {span.trace for span in statements} == {poll.trace}
    assert {f"SELECT {schema}", f"INSERT {schema}"} <= {span.name for span in statements}
    assert any("predictions" in span.attributes.get("db.query.text", "") for span in ingested)
    assert not {"GET /readyz", "GET /metrics"} & {span.name for span in collector.spans}

    sent = "\n".join(f"{span.name} {span.attributes}" for span in collector.spans)
    frame = rows(80)
    hidden = [
        database_settings.password.get_secret_value(), SECRET, "refused-id", "no-score", "in-the-query",
        *frame["id"], *frame["minutes"].dropna().map(str), "'AA'", "'DL'",
    ]  # fmt: skip
    assert [value for value in hidden if value in sent] == []
    assert {post.headers["authorization"] for post in collector.receiver.posts} == {SECRET}


def test_a_failed_statement_is_named_by_its_code_alone(database_settings: DatabaseSettings) -> None:
    with collected("monitor") as collector:
        engine = make_engine(database_settings)
        with spans.span("work"), pytest.raises(DBAPIError), engine.connect() as connection:
            connection.execute(text("SELECT 'a-value' FROM not_a_table WHERE id = :id"), {"id": "another-value"})
        engine.dispose()
    (failed,) = (span for span in collector.spans if span.has_failed and span.name.startswith("SELECT"))
    assert failed.attributes["error.type"] == "1146"
    assert "value" not in str(failed.attributes)


def test_without_an_address_traces_and_lineage_import_no_library() -> None:
    program = (
        "import sys; from driftline.traces.start import traced; from driftline.lineage.start import lineage_recorded\n"
        "from monitoring.app import create_app; from flaskapp.app import create_app\n"
        "with traced('monitor'), lineage_recorded(): pass\n"
        "print([name for name in sys.modules if name.startswith(('opentelemetry.', 'openlineage'))])"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONPATH": "src:."}
    )
    assert result.stdout.strip() == "[]"
