"""A model is added by upload: inferred, reviewed, corrected and registered; nothing is stored before."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, func, select
from werkzeug.test import TestResponse

from driftline.clock import utc_now
from driftline.http.authorization import tokens
from driftline.http.authorization.scopes import Scope
from driftline.settings import AccessSettings, DatabaseSettings
from driftline.store.tables import models
from stack.testing.fixtures import DatabaseAddress
from tests.integration.monitoring.applications import monitor_of
from tests.integration.monitoring.test_models_api import reference

LIMIT = 1_000_000


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    return mariadb


@pytest.fixture
def admin(
    engine: Engine, database_settings: DatabaseSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FlaskClient]:
    del engine  # has made the tables
    monkeypatch.setenv("DRIFTLINE_OBJECTS", str(tmp_path / "objects"))
    file = tmp_path / "tokens.json"
    token = tokens.create(file, "admin", frozenset({Scope.READ, Scope.ADMIN}), utc_now())
    (tmp_path / "reader").write_text(tokens.create(file, "reader", frozenset({Scope.READ}), utc_now()))
    access = AccessSettings(tokens=file, max_ingest_body=LIMIT)
    with monitor_of(database_settings, tmp_path / "output", access) as app:
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        yield client


def upload(client: FlaskClient, name: str = "ref.csv", body: bytes | None = None) -> TestResponse:
    frame = reference().rename(columns={"at": "timestamp", "key": "id", "y": "label", "guess": "prediction"})
    content = frame.to_csv(index=False).encode() if body is None else body
    return client.post("/register", data={"name": "animals", "owner": "zoo", "file": (io.BytesIO(content), name)})


def stored(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(models)).scalar_one())


def test_a_model_is_uploaded_reviewed_corrected_and_registered(admin: FlaskClient, engine: Engine) -> None:
    assert "Upload and review" in admin.get("/register").text
    review = upload(admin).headers["Location"]
    address, _, query = review.partition("?")
    assert "timestamp=timestamp&label=label&prediction=prediction&id=id" in query
    page = admin.get(review)
    assert '<th scope="row">pa</th>' in page.text  # the scores of three classes are features still
    scores = {"score": "a=pa\r\nb=pb\r\nc=pc"}
    columns = {"timestamp": "timestamp", "label": "label", "prediction": "prediction", "id": "id", "owner": "zoo"}
    fields = columns | scores | {"name": "animals", "chunk": "1d", "label_delay": "P3D"}
    page = admin.get(address, query_string=fields)
    for words in ("Register animals", "What this monitor can see", "größe, m²", "multiclass", "3 days"):
        assert words in page.text
    assert '<th scope="row">pa</th>' not in page.text
    wrong = admin.post(address, data=fields | {"label_delay": "soon"})
    assert (wrong.status_code, stored(engine)) == (400, 0)
    assert "label_delay" in wrong.text
    assert admin.post(address, data=fields, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert stored(engine) == 0
    registered = admin.post(address, data=fields)
    assert (registered.status_code, registered.headers["Location"]) == (303, "/models/animals/connect")
    model = admin.get("/api/v1/models/animals").json
    assert model is not None
    assert (model["owner"], model["versions"][0]["specs"][0]["spec"]["label_delay"]) == ("zoo", "P3D")
    assert "größe, m²" in admin.get("/models/animals/connect").text
    assert admin.get(address, query_string=fields).status_code == 404  # the upload is gone


def test_what_cannot_be_registered_is_refused_with_the_cure(admin: FlaskClient, engine: Engine, tmp_path: Path) -> None:
    assert "choose a file that ends in .csv" in upload(admin, "ref.xlsx").text
    assert admin.post("/register", data={"name": "animals"}).status_code == 400
    large = admin.post("/register", data=b"x" * (LIMIT + 1), content_type="multipart/form-data; boundary=b")
    assert (large.status_code, "DRIFTLINE_MAX_INGEST_BODY" in large.text) == (413, True)
    review = upload(admin, body=b"when,value\n2026-05-01,1\n").headers["Location"]
    assert "No column with the time" in admin.get(review).text
    assert "The reference is too short" in admin.get(f"{review}&timestamp=when").text
    reader = {"Authorization": f"Bearer {(tmp_path / 'reader').read_text()}"}
    assert admin.get("/register", headers=reader).status_code == 403
    assert upload(admin).status_code == 303
    assert stored(engine) == 0
