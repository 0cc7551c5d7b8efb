"""The results over HTTP: filters, pages, formats, and what was reported at an earlier instant."""

import csv
import io
import math
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, update
from werkzeug.test import TestResponse

from driftline.clock import utc_now
from driftline.engine.spec import Period
from driftline.settings import DatabaseSettings
from driftline.store.database import in_transaction
from driftline.store.tables import results as results_table
from driftline.store.versions import registry
from monitoring.api.results.schemas import ResultRowOut, ResultsOut
from stack.testing.fixtures import DatabaseAddress
from tests.integration.monitoring.applications import monitor_of
from tests.integration.monitoring.world import MonitoredWorld, make_world

PATH = "/api/v1/models/flights/results"


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    return mariadb


@pytest.fixture
def client(engine: Engine, database_settings: DatabaseSettings, tmp_path: Path) -> Iterator[FlaskClient]:
    """A monitor of its own after its first poll: four days, the labels of the first two."""
    world = make_world(engine, tmp_path)
    for day in range(4):
        world.predict(day)
    for day in range(2):
        world.label(day)
    with monitor_of(database_settings, tmp_path / "output") as app:
        client = app.test_client()
        assert client.get("/run-monitoring").status_code == 200
        yield client


def _results(answer: TestResponse) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    ResultsOut.model_validate(answer.json)
    rows: list[dict[str, Any]] = answer.json["results"]  # type: ignore[index]
    return rows


def test_results_are_those_of_the_chunks(shared_client: FlaskClient) -> None:
    chunks = shared_client.get("/api/v1/models/flights/chunks").json["chunks"]  # type: ignore[index]
    expected = [
        {"start": chunk["start"], "end": chunk["end"], "revision": chunk["revision"], "closed": chunk["closed"]}
        | result
        for chunk in chunks
        for result in chunk["results"]
    ]
    rows = _results(shared_client.get(PATH))
    assert len(rows) == len(expected) > 100
    assert all(row in expected for row in rows)
    assert [row["start"] for row in rows] == sorted(row["start"] for row in rows)
    assert set(rows[0]) == {*ResultRowOut.model_fields}


def test_a_filter_keeps_the_rows_with_its_value(shared_client: FlaskClient) -> None:
    rows = _results(shared_client.get(PATH))
    filters = {"subject": "minutes", "subject_kind": "feature", "kind": "realized", "method": "roc_auc", "state": "ok"}
    for field, value in filters.items():
        expected = [row for row in rows if row[field] == value]
        assert _results(shared_client.get(f"{PATH}?{field}={value}")) == expected
        assert 0 < len(expected) < len(rows), field
    assert _results(shared_client.get(f"{PATH}?segment=")) == rows
    assert _results(shared_client.get(f"{PATH}?subject=nobody")) == []
    assert _results(shared_client.get(f"{PATH}?from=2027-01-01")) == []
    assert _results(shared_client.get(f"{PATH}?from=0001-01-01&to=9999-12-31&as_of=9999-12-31")) == rows
    assert _results(shared_client.get(f"{PATH}?to=0001-01-01&as_of=0001-01-01")) == []


def test_pages_hold_whole_chunks_and_together_everything(shared_client: FlaskClient) -> None:
    pages, url = [], f"{PATH}?from=0001-01-01&most=3"
    while url:
        answer = shared_client.get(url)
        pages.append(_results(answer))
        link = answer.headers.get("Link")
        assert (link is None) == (answer.json["next"] is None)  # type: ignore[index]
        url = link.partition("<")[2].partition(">")[0] if link else ""
    assert [len({row["start"] for row in page}) for page in pages] == [3, 3, 2]
    assert [row for page in pages for row in page] == _results(shared_client.get(PATH))
    newest = _results(shared_client.get(f"{PATH}?most=2"))
    assert {row["start"] for row in newest} == {"2026-02-07T00:00:00Z", "2026-02-08T00:00:00Z"}


def test_every_format_has_the_same_values(shared_client: FlaskClient) -> None:
    rows = _results(shared_client.get(PATH))
    arrow = shared_client.get(f"{PATH}?format=arrow")
    assert arrow.mimetype == "application/vnd.apache.arrow.stream"
    table = pa.ipc.open_stream(arrow.data).read_all().to_pylist()
    parsed = [row | {name: datetime.fromisoformat(row[name]) for name in ("start", "end")} for row in rows]
    assert table == parsed
    text = shared_client.get(f"{PATH}?format=csv")
    assert text.content_type == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(io.StringIO(text.text)))
    assert [line["start"] for line in lines] == [row["start"] for row in rows]
    for line, row in zip(lines, rows, strict=True):
        assert (float(line["value"]) if line["value"] else math.nan) == pytest.approx(
            math.nan if row["value"] is None else row["value"], rel=0, abs=0, nan_ok=True
        )
    empty = shared_client.get(f"{PATH}?format=csv&subject=nobody").text
    assert empty.strip().split(",") == list(lines[0])


def test_a_name_that_begins_like_a_formula_is_text_in_csv(client: FlaskClient, engine: Engine) -> None:
    renamed = update(results_table).where(results_table.c.subject == "minutes").values(subject="=1+1")
    in_transaction(engine, lambda connection: connection.execute(renamed))
    lines = list(csv.DictReader(io.StringIO(client.get(f"{PATH}?format=csv&subject==1%2B1").text)))
    assert {line["subject"] for line in lines} == {"'=1+1"}


def test_as_of_reads_what_was_reported_then(client: FlaskClient, engine: Engine) -> None:
    before, instant = _results(client.get(PATH)), utc_now().isoformat()
    MonitoredWorld(engine).label(1, flipped=True)
    assert client.get("/run-monitoring").status_code == 200
    after = _results(client.get(PATH))
    assert before != after
    query = {"as_of": instant}
    assert _results(client.get(PATH, query_string=query)) == before
    assert _results(client.get(PATH, query_string={"as_of": utc_now().isoformat()})) == after
    assert _results(client.get(PATH, query_string={"as_of": "2020-01-01"})) == []
    page = client.get(PATH, query_string=query | {"from": "2026-02-02", "to": "2026-02-03", "most": "1"})
    assert page.json["next"] == "2026-02-03T00:00:00Z"  # type: ignore[index]
    assert {row["start"] for row in _results(page)} == {"2026-02-02T00:00:00Z"}


def test_as_of_reads_the_chunks_of_the_calendar_of_then(client: FlaskClient, engine: Engine) -> None:
    before, instant = _results(client.get(PATH)), utc_now().isoformat()
    version = registry.load(engine, "flights")
    halves = version.spec.model_copy(update={"period": Period.HOUR})
    registry.revise_spec(engine, "flights", version.number, halves, utc_now())
    assert client.get("/run-monitoring").status_code == 200
    assert {row["end"] for row in _results(client.get(PATH))}.isdisjoint(row["end"] for row in before[-1:])
    assert _results(client.get(PATH, query_string={"as_of": instant})) == before
    now = _results(client.get(PATH, query_string={"as_of": utc_now().isoformat()}))
    assert now == _results(client.get(PATH))


REFUSED = {
    "version=9": (404, "Ready: 1"),
    "most=0": (400, "most"),
    "most=100000": (400, "most"),
    "kind=unheard": (400, "kind"),
    "format=xml": (400, "format"),
    "as_of=soon": (400, "as_of"),
    "metric=f1": (400, "metric"),
}


def test_a_query_that_cannot_be_answered_is_refused(shared_client: FlaskClient) -> None:
    answers = {query: shared_client.get(f"{PATH}?{query}") for query in REFUSED}
    assert {query: answer.status_code for query, answer in answers.items()} == {
        q: code for q, (code, _) in REFUSED.items()
    }
    assert [query for query, (_, part) in REFUSED.items() if part not in answers[query].text] == []
