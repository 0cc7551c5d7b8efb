"""Models over HTTP: inferred in a dry run, registered, listed, revised and removed; a refusal stores nothing."""

import gzip
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, func, select

from driftline.engine.comparison.paired_roc_auc import PairedRocAuc
from driftline.engine.comparison.promotion import Decision
from driftline.settings import DatabaseSettings
from driftline.store.tables import models
from driftline.store.versions import registry, retrainings
from driftline.store.versions.retrainings import RetrainingState
from tests.integration.monitoring.applications import monitor_of

URL = "/api/v1/models/any"
QUERY = "?timestamp=at&label=y&score=a=pa&score=b=pb&score=c=pc&prediction=guess&id=key&chunk=1d"
NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
PARQUET, ARROW = "application/vnd.apache.parquet", "application/vnd.apache.arrow.stream"


@pytest.fixture
def client(
    engine: Engine, database_settings: DatabaseSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FlaskClient]:
    del engine  # has made the tables
    monkeypatch.setenv("DRIFTLINE_OBJECTS", str(tmp_path / "objects"))
    with monitor_of(database_settings, tmp_path / "output") as app:
        yield app.test_client()


def reference(rows: int = 2_400) -> pd.DataFrame:
    """Return scored rows of three classes."""
    rng = np.random.default_rng(1)
    scores = rng.dirichlet((2.0, 1.0, 1.0), size=rows)
    drawn = (scores.cumsum(axis=1) > rng.uniform(size=(rows, 1))).argmax(axis=1)
    return pd.DataFrame(
        {
            "at": pd.date_range("2026-03-01", periods=rows, freq="720s"),
            "key": [f"k{n}" for n in range(rows)],
            "y": np.array(["a", "b", "c"])[drawn],
            "guess": np.array(["a", "b", "c"])[scores.argmax(axis=1)],
            **{f"p{name}": scores[:, place] for place, name in enumerate("abc")},
            "größe, m²": rng.normal(size=rows),
        }
    )


def body(form: str, frame: pd.DataFrame) -> dict[str, Any]:
    """Return a frame as the body of a request in one of the formats."""
    if form == "csv":
        return {"data": frame.to_csv(index=False).encode(), "content_type": "text/csv"}
    if form == "gzip":
        packed = gzip.compress(frame.to_csv(index=False).encode())
        return {"data": packed, "content_type": "text/csv", "headers": {"Content-Encoding": "gzip"}}
    sink = io.BytesIO()
    if form == "parquet":
        frame.to_parquet(sink, index=False)
        return {"data": sink.getvalue(), "content_type": PARQUET}
    table = pa.Table.from_pandas(frame, preserve_index=False)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return {"data": sink.getvalue(), "content_type": ARROW}


def stored(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(models)).scalar_one())


def json_of(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json


def test_a_model_is_shown_registered_revised_and_removed(client: FlaskClient, engine: Engine) -> None:
    answers = [
        json_of(client.post(f"{URL}{QUERY}&dry_run=true", **body(form, reference()))) for form in ("csv", "gzip")
    ]
    assert answers[0] == answers[1]
    assert (answers[0]["version"], answers[0]["problem"], stored(engine)) == (None, "multiclass", 0)
    assert answers[0]["columns"]["scores"] == {"probability_a": "pa", "probability_b": "pb", "probability_c": "pc"}
    assert answers[0]["spec"]["columns"] == [{"name": "größe, m²", "kind": "continuous", "watched": True}]

    versions = [
        json_of(client.post(f"{URL}{QUERY}", **body(form, reference())))["version"] for form in ("parquet", "arrow")
    ]
    assert versions == [1, 1]
    (listed,) = json_of(client.get("/api/v1/models"))["models"]
    assert (listed["name"], listed["versions"], listed["problem"]) == ("any", [1], "multiclass")

    owned = json_of(client.put(f"{URL}/owner", json={"owner": " équipe a "}))
    assert owned == {"name": "any", "owner": "équipe a"}
    assert "owner: <a" in client.get("/?owner=équipe a").text
    assert 'class="model ' not in client.get("/?owner=nobody").text
    json_of(client.post(f"{URL}{QUERY}&owner=b", **body("arrow", reference())))
    assert [json_of(client.get(path))["owner"] for path in (URL,)] == ["b"]
    json_of(client.put(f"{URL}/owner", json={"owner": " "}), 400)
    json_of(client.put("/api/v1/models/none/owner", json={"owner": "b"}), 404)
    assert json_of(client.put(f"{URL}/owner", json={"owner": None}))["owner"] is None

    revised = json_of(client.post(f"{URL}/specs", json={"label_delay": "P3D", "minimum_rows": 40}))
    assert revised == {"name": "any", "version": 1, "revision": 2, "pending_chunks": 0}
    (version,) = json_of(client.get(URL))["versions"]
    assert [spec["spec"]["label_delay"] for spec in version["specs"]] == ["PT0S", "P3D"]

    rows = {"id": "n1", "at": "2026-04-01T00:00:00Z", "prediction": "a", "scores": {"a": 0.6, "b": 0.2, "c": 0.2}}
    row = rows | {"features": {"größe, m²": 1.5}}
    assert json_of(client.post(f"{URL}/predictions", json=row))["new"] == 1
    assert json_of(client.post(f"{URL}/labels", json={"id": "n1", "label": "b"}))["new"] == 1
    assert json_of(client.get("/run-monitoring"))["failed"] == 0
    assert json_of(client.get("/api/v1/models/any/chunks"))["chunks"][0]["rows"] == 1
    assert client.get("/models/any").status_code == 200

    reference_of = json_of(client.get(f"{URL}/versions/1/reference"))
    assert (reference_of["rows"], reference_of["columns"]["label"]) == (2_400, "y")
    assert reference_of["features"] == [{"name": "größe, m²", "kind": "continuous", "watched": True}]
    assert json_of(client.post(f"{URL}/versions/1/retire"))["state"] == "retired"
    json_of(client.post(f"{URL}/versions/1/retire"), 404)
    assert json_of(client.get(f"{URL}/versions/1/reference")) == reference_of
    assert client.post(f"{URL}/predictions", json=row | {"id": "n2"}).status_code == 404
    kinds = [json_of(client.get(f"{URL}/ingest?kind={kind}"))["entries"] for kind in ("labels", "deletion")]
    assert [len(entries) for entries in kinds] == [1, 0]
    assert json_of(client.get(f"{URL}/ingest?to=2026-01-01"))["entries"] == []

    assert json_of(client.delete(URL))["rows_deleted"] > 5
    assert stored(engine) == 0
    json_of(client.get(URL), 404)


def test_a_version_is_promoted_and_rolled_back(client: FlaskClient, engine: Engine) -> None:
    for rows in (2_400, 2_000):
        json_of(client.post(f"{URL}{QUERY}", **body("parquet", reference(rows))))
    assert json_of(client.get(f"{URL}/roles"))["used"] == 2
    promoted = json_of(client.post(f"{URL}/versions/1/promote", json={"reason": "better in April"}))
    (change,) = promoted["changes"]
    assert (promoted["champion"], promoted["used"], change["replaced"], change["changed_by"]) == (1, 1, 2, "local")
    assert json_of(client.post(f"{URL}/versions/1/promote", json={"reason": "again"}))["changes"] == [change]
    model = json_of(client.get(URL))
    assert (model["version"], [version["role"] for version in model["versions"]]) == (1, ["champion", None])
    assert "version 1, champion" in client.get("/models/any").text
    assert "better in April" in client.get("/models/any/versions").text
    json_of(client.post(f"{URL}/versions/1/retire"), 409)
    assert json_of(client.post(f"{URL}/rollback", json={"reason": "worse in May"}))["champion"] == 2
    json_of(client.post(f"{URL}/rollback", json={"reason": "once more"}), 409)
    json_of(client.post(f"{URL}/versions/3/promote", json={"reason": "newest"}), 404)
    for refused in ({"reason": ""}, {}, {"reason": "a", "by": "me"}):
        assert client.post(f"{URL}/versions/1/promote", json=refused).status_code in (400, 422)
    json_of(client.get("/api/v1/models/nobody/roles"), 404)


def test_retrainings_are_listed_by_page_with_their_comparison(client: FlaskClient, engine: Engine) -> None:
    json_of(client.post(f"{URL}{QUERY}", **body("parquet", reference())))
    assert json_of(client.get(f"{URL}/retrainings")) == {"name": "any", "retrainings": []}
    assert "has not been trained again" in client.get("/models/any/versions").text
    with engine.connect() as connection:
        key = registry.version_key(connection, "any")
    compared = PairedRocAuc(0.61, 0.72, 0.012, 0.011, 0.008, 900, 100, 90)
    for cause, decision in (
        ("a new tariff", Decision(False, "not beyond the noise", 14, compared)),
        ("an alert lasts", Decision(True, "beyond the noise", 14, compared)),
    ):
        position = retrainings.begin(engine, key, cause, None, NOW)
        state = RetrainingState.PROMOTED if decision.promote else RetrainingState.KEPT
        retrainings.finish(engine, key, position, state, decision, 2, NOW)
    retrainings.begin(engine, key, "by hand", None, NOW)
    (newest,) = json_of(client.get(f"{URL}/retrainings?most=1"))["retrainings"]
    assert (newest["position"], newest["state"], newest["comparison"]) == (3, "running", None)
    second, first = json_of(client.get(f"{URL}/retrainings?before=3"))["retrainings"]
    assert (second["cause"], second["state"], second["challenger"]) == ("an alert lasts", "promoted", 2)
    numbers = second["comparison"]
    assert (numbers["first"], numbers["second"], numbers["difference_error"]) == (0.61, 0.72, 0.008)
    assert numbers["difference"] == pytest.approx(0.11)
    assert (first["cause"], first["reason"]) == ("a new tariff", "not beyond the noise")
    page = client.get("/models/any/versions").text
    assert page.index("by hand") < page.index("an alert lasts") < page.index("a new tariff")
    for words in ("0.610 ± 0.012", "0.720 ± 0.011", "+0.110 ± 0.0080", "challenger promoted", "champion kept"):
        assert words in page
    assert "an alert lasts" not in client.get("/models/any/versions?before=2").text
    for refused in ("most=0", "before=0", "since=1"):
        assert client.get(f"{URL}/retrainings?{refused}").status_code in (400, 422)
    json_of(client.get("/api/v1/models/nobody/retrainings"), 404)


REFUSED: dict[str, tuple[str, str, int, str]] = {
    "no column": ("csv", "?timestamp=when", 400, "there is no column 'when'"),
    "rows": ("csv", f"{QUERY.replace('1d', 'rows:50')}", 400, "pass ?chunk=1d"),
    "json": ("json", QUERY, 415, "A reference is a table"),
    "no timestamp": ("csv", "?label=y", 400, "timestamp"),
    "spec": ("csv", f"{QUERY}&spec=%7B%22minimum_rows%22:-1%7D", 400, "minimum_rows"),
    "damaged": ("damaged", QUERY, 400, "Parquet"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_reference_stores_nothing(client: FlaskClient, engine: Engine, case: str) -> None:
    form, query, status, words = REFUSED[case]
    odd = {
        "json": {"data": b"[]", "content_type": "application/json"},
        "damaged": {"data": b"PAR1", "content_type": PARQUET},
    }
    error = json_of(client.post(f"{URL}{query}", **(odd.get(form) or body(form, reference()))), status)["error"]
    assert words in f"{error['message']} {error['details']}"
    assert stored(engine) == 0
